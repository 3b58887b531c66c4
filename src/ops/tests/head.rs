//! The classifier and the loss.

use super::*;

#[test]
fn cross_entropy_is_that_of_pytorch() -> Result<()> {
    let section = section("losses")?;
    let case = section["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["name"] == "ce_mean")
        .unwrap();
    let targets: Vec<u32> = numbers(&section["targets"])?
        .into_iter()
        .map(|x| x as u32)
        .collect();
    let logits: Vec<f32> = numbers(&section["logits"])?
        .into_iter()
        .map(|x| x as f32)
        .collect();
    let classes = logits.len() / targets.len();
    let logits = Tensor::from_vec(logits, (targets.len(), classes), &Device::Cpu)?;
    let shape = logits.shape().clone();
    let (value, grads) = run(
        &[logits],
        |loss| Ok(loss.ones_like()?),
        |tape, x| loss(tape, &x[0], &targets, &Criterion::default()),
    )?;
    assert!((f64::from(value.to_scalar::<f32>()?) - case["value"].as_f64().unwrap()).abs() < 1e-5);
    let wanted: Vec<f32> = numbers(&case["grad_logits"])?
        .into_iter()
        .map(|x| x as f32)
        .collect();
    assert_close(
        &grads[0],
        &Tensor::from_vec(wanted, shape, &Device::Cpu)?,
        "cross-entropy gradient",
    )?;

    let stability = &section["stability"];
    let rows: Vec<f32> = numbers(&stability["logits"])?
        .into_iter()
        .map(|x| x as f32)
        .collect();
    for (row, wanted) in rows.chunks(4).zip(numbers(&stability["ce_per_sample"])?) {
        let target = if wanted > 1.0 && wanted < 2.0 {
            3_u32
        } else {
            0
        };
        let row = Var::constant(Tensor::new(row, &Device::Cpu)?.reshape((1, 4))?);
        let value = loss(&Tape::off(), &row, &[target], &Criterion::default())?.values()?;
        assert!((f64::from(value.to_scalar::<f32>()?) - wanted).abs() < 1e-3 * wanted.max(1e-3));
    }
    Ok(())
}

#[test]
fn the_cosine_classifier_is_that_of_ldam() -> Result<()> {
    let section = section("normed_linear_ldam")?;
    let targets = numbers(&section["targets"])?;
    let labels: Vec<u32> = targets.into_iter().map(|x| x as u32).collect();
    let counts = numbers(&section["counts"])?;
    let counts: Vec<usize> = counts.into_iter().map(|n| n as usize).collect();
    // The reference has a column for each class, and our weight has a row.
    let columns = |field: &str, columns: usize| -> Result<Tensor> {
        let values = vector(&section[field])?;
        Ok(values.reshape(((), columns))?)
    };
    let (width, classes) = (5, counts.len());
    let features = columns("features", width)?;
    let weight = columns("weight", classes)?.t()?.contiguous()?;
    let criterion = Criterion {
        margins: crate::class_balance::margins(&counts, 0.5)
            .into_iter()
            .map(|margin| 30.0 * margin)
            .collect(),
        ..Criterion::default()
    };
    let (value, grads) = run(
        &[features, weight],
        |loss| Ok(loss.ones_like()?),
        |tape, x| {
            let logits = cosine(tape, &x[0], &x[1], 30.0)?;
            loss(tape, &logits, &labels, &criterion)
        },
    )?;
    let wanted = section["loss"].as_f64().context("loss")?;
    assert!((f64::from(value.to_scalar::<f32>()?) - wanted).abs() < 1e-4);
    let wanted = columns("grad_features", width)?;
    assert_close(&grads[0], &wanted, "gradient of the features")?;
    let wanted = columns("grad_weight", classes)?.t()?.contiguous()?;
    assert_close(&grads[1], &wanted, "gradient of the weights")
}
