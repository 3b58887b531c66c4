use super::*;
use crate::vectors::section;

/// scikit-learn 1.9.1 with labels=range(K), zero_division=nan, including classes never predicted or absent.
#[test]
fn metrics_are_those_of_scikit_learn() -> anyhow::Result<()> {
    let section = section("metrics")?;
    for case in section["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let confusion = serde_json::from_value(case["confusion_true_rows_pred_cols"].clone())?;
        let eval = from_confusion(confusion, Split::Test, 0, 0.0, None);
        let wanted = &case["per_class_zero_division_nan"];
        for (key, got) in [
            ("precision", &eval.precision),
            ("recall", &eval.recall),
            ("f1", &eval.f1),
        ] {
            for (k, got) in got.iter().enumerate() {
                let wanted = wanted[key][k].as_f64(); // "nan" is a string there, so none here.
                assert!(
                    close(*got, wanted),
                    "{name}: {key}[{k}] is {got:?} instead of {wanted:?}"
                );
            }
        }
        let macro_f1 = case["macro_zero_division_nan"]["f1"].as_f64();
        assert!(
            close(eval.macro_f1, macro_f1),
            "{name}: macro-F1 {:?} instead of {macro_f1:?}",
            eval.macro_f1
        );
        assert!(
            close(eval.accuracy, case["accuracy"].as_f64()),
            "{name}: accuracy"
        );
        assert!(
            close(eval.balanced_accuracy, case["balanced_accuracy"].as_f64()),
            "{name}: balanced accuracy"
        );
        let defined = wanted["f1"].as_array().unwrap().iter();
        let defined = defined.filter(|f1| f1.is_number()).count();
        assert_eq!(eval.macro_f1_classes, defined, "{name}: classes with an F1");
    }
    Ok(())
}

fn close(got: Option<f64>, wanted: Option<f64>) -> bool {
    match (got, wanted) {
        (Some(got), Some(wanted)) => (got - wanted).abs() < 1e-9,
        (got, wanted) => got == wanted,
    }
}

#[test]
fn loss_and_confidence_are_those_of_a_softmax() {
    let mut predictions = Predictions::default();
    predictions.extend(&[1000.0, 0.0, 0.0, 0.0], &[1, 0], 2);
    predictions.extend(&[0.0, 0.0], &[0], 2);
    assert_eq!(predictions.class, [0, 0, 0]);
    let wanted = (1000.0 + 2.0 * 2.0_f64.ln()) / 3.0;
    assert!((predictions.loss.unwrap() - wanted).abs() < 1e-9);
    assert_eq!(predictions.confidence, [1.0, 0.5, 0.5]);
    let empty = Predictions::default().evaluate(2, Split::Val, 3, 0.5);
    assert_eq!(
        (empty.accuracy, empty.macro_f1, empty.loss),
        (None, None, None)
    );
}
