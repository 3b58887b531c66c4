use super::*;
use crate::vectors::section;

/// CIFAR-10-LT as published by the LDAM and class-balanced-loss repositories.
#[test]
fn long_tails_are_those_published() {
    let balanced = [5000; 10];
    assert_eq!(
        counts(&balanced, 100.0, Profile::Exp),
        [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    );
    assert_eq!(
        counts(&balanced, 200.0, Profile::Exp),
        [5000, 2775, 1540, 854, 474, 263, 146, 81, 45, 25]
    );
    assert_eq!(counts(&[10, 10, 10], 2.0, Profile::Step), [10, 5, 5]);
    assert_eq!(counts(&[7, 100, 3], 1.0, Profile::Exp), [7, 100, 3]);
    assert_eq!(
        counts(&[7, 60, 100], 10.0, Profile::Exp),
        [7, 31, 100],
        "by rank, and no class gets more than it has"
    );
    assert_eq!(
        counts(&[5, 5], 1000.0, Profile::Exp),
        [5, 1],
        "nor none of what it has"
    );
}

#[test]
fn long_tails_are_those_of_the_reference() -> anyhow::Result<()> {
    let section = section("lt_counts")?;
    for case in section["cases"].as_array().unwrap() {
        let number = |key: &str| case[key].as_f64().unwrap();
        let natural = vec![number("img_max") as usize; number("classes") as usize];
        let profile = case["profile"].as_str().unwrap().parse().unwrap();
        let wanted: Vec<usize> = serde_json::from_value(case["counts"].clone())?;
        assert_eq!(
            counts(&natural, number("imbalance_factor"), profile),
            wanted,
            "{case}"
        );
    }
    Ok(())
}
