//! Test vectors that reference implementations computed (PyTorch, torchvision, scikit-learn, SciPy) in 64-bit floating
//! point: `tests/peers/vectors.json`, whose section `meta` names versions and sources, and `tests/peers/torch_recipe.json`,
//! which `torch_recipe.py` beside it writes.

use anyhow::Context;
use candle_core::{Device, Tensor};
use serde_json::Value;

const FILE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers/vectors.json"
));
const RECIPE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers/torch_recipe.json"
));

/// One section of the file of test vectors.
pub(crate) fn section(name: &str) -> anyhow::Result<Value> {
    section_of(FILE, name)
}

/// One section of the test vectors of `torch_recipe.py`.
pub(crate) fn recipe(name: &str) -> anyhow::Result<Value> {
    section_of(RECIPE, name)
}

fn section_of(file: &str, name: &str) -> anyhow::Result<Value> {
    let mut file: Value = serde_json::from_str(file)?;
    let section = file.get_mut(name).map(Value::take);
    section.with_context(|| format!("the reference vectors have no section `{name}`"))
}

/// sin(first), sin(first + 1), …: the inputs of `torch_recipe.py`.
pub(crate) fn sines(first: usize, count: usize) -> Vec<f64> {
    (first..first + count).map(|i| (i as f64).sin()).collect()
}

/// All numbers of a list, or of lists within lists, in row-major order; the numbers of its entry `data` for a
/// dictionary.
pub(crate) fn numbers(value: &Value) -> anyhow::Result<Vec<f64>> {
    if let Some(map) = value.as_object() {
        return numbers(&map["data"]);
    }
    let Some(items) = value.as_array() else {
        let number = value.as_f64();
        return Ok(vec![
            number.with_context(|| format!("{value} is no number"))?,
        ]);
    };
    let mut all = Vec::new();
    for item in items {
        all.extend(numbers(item)?);
    }
    Ok(all)
}

/// A tensor `{shape, data}`.
pub(crate) fn tensor(value: &Value) -> anyhow::Result<Tensor> {
    let shape: Vec<usize> = serde_json::from_value(value["shape"].clone())?;
    let data: Vec<f32> = numbers(value)?.into_iter().map(|x| x as f32).collect();
    Ok(Tensor::from_vec(data, shape, &Device::Cpu)?)
}

/// A tensor [N, C, H, W] as [N, H, W, C].
pub(crate) fn nhwc(value: &Value) -> anyhow::Result<Tensor> {
    Ok(tensor(value)?.permute((0, 2, 3, 1))?.contiguous()?)
}

/// A list of numbers as a vector tensor.
pub(crate) fn vector(value: &Value) -> anyhow::Result<Tensor> {
    let data: Vec<f32> = numbers(value)?.into_iter().map(|x| x as f32).collect();
    let len = data.len();
    Ok(Tensor::from_vec(data, len, &Device::Cpu)?)
}

/// Asserts equality within the file's tolerance for f32.
pub(crate) fn assert_close(got: &Tensor, wanted: &Tensor, what: &str) -> anyhow::Result<()> {
    assert_eq!(got.shape(), wanted.shape(), "{what}: shape");
    let got = got.flatten_all()?.to_vec1::<f32>()?;
    let wanted = wanted.flatten_all()?.to_vec1::<f32>()?;
    for (i, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
        let tolerance = 2e-5 * wanted.abs() + 4e-6;
        assert!(
            (got - wanted).abs() <= tolerance,
            "{what}[{i}]: {got} instead of {wanted}"
        );
    }
    Ok(())
}
