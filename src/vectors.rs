//! Test vectors that reference implementations computed (PyTorch, scikit-learn): `../shared/reference/vectors.json`.
//! Where the file is not there, the tests that need it print that they were skipped.

use anyhow::Context;
use candle_core::{Device, Tensor};
use serde_json::Value;

/// One section of the file; none (and a printed reason) where the file is not there.
pub(crate) fn section(name: &str) -> anyhow::Result<Option<Value>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/reference/vectors.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped `{name}`: the reference vectors are not on this machine");
        return Ok(None);
    };
    let mut file: Value = serde_json::from_str(&text)?;
    Ok(Some(file[name].take()))
}

/// All numbers of a (nested) list, row-major; a dictionary with `data` stands for its data.
pub(crate) fn numbers(value: &Value) -> anyhow::Result<Vec<f64>> {
    match value {
        Value::Object(map) => numbers(&map["data"]),
        Value::Array(items) => {
            let mut all = Vec::new();
            for item in items {
                all.extend(numbers(item)?);
            }
            Ok(all)
        }
        other => Ok(vec![
            other
                .as_f64()
                .with_context(|| format!("{other} is no number"))?,
        ]),
    }
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
