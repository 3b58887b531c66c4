//! Numbers as text.

use super::*;

#[test]
fn numbers_have_three_figures() {
    let numbers = [
        (0.0, "0"),
        (1.167, "1.17"),
        (9.996, "10.0"),
        (-65.43, "−65.4"),
        (0.065_43, "0.0654"),
        (-0.001_234, "−0.00123"),
        (45_600.0, "4.56·10⁴"),
        (1_235.0, "1235"),
        (-4.56e-7, "−4.56·10⁻⁷"),
        (f64::INFINITY, "inf"),
    ];
    for (number, text) in numbers {
        assert_eq!(three_figures(number), text);
    }
}

#[test]
fn the_end_of_a_scale_is_1_2_or_5_times_a_power_of_ten() {
    let ends = [
        (1.0, 1.0),
        (1.1, 2.0),
        (3.7, 5.0),
        (7.0, 10.0),
        (0.03, 0.05),
        (120.0, 200.0),
    ];
    for (value, wanted) in ends {
        let end = round_up(value).expect("a positive number");
        assert!((end - wanted).abs() < 1e-12 * wanted, "{value}: {end}");
    }
    assert_eq!(round_up(-1.0), None);
    assert_eq!(round_up(f64::NAN), None);
}
