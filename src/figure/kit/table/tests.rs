//! Tables as text.

use anyhow::Result;

use super::*;

/// RFC 4180 section 2: rules 5 to 7.
#[test]
fn csv_is_quoted_where_it_has_to_be() {
    let mut table = Table::new(["class", "n"]);
    table.push(["plain".into(), 3_u64.into()]);
    table.push(["a, b".into(), Value::None]);
    table.push(["say \"no\"".into(), 0.1.into()]);
    table.push(["two\nlines".into(), (-0.0).into()]);
    let csv = table.to_csv();
    assert_eq!(
        csv,
        "class,n\nplain,3\n\"a, b\",\n\"say \"\"no\"\"\",0.1\n\"two\nlines\",-0\n"
    );
    let tabs = table.to_tabs();
    assert_eq!(tabs.lines().nth(2), Some("a, b\t"));
    assert_eq!(tabs.lines().nth(4), Some("two lines\t-0"));
}

/// A file holds names as they are; what is pasted into a spreadsheet is not computed there.
#[test]
fn formulas_are_pasted_as_text() {
    let mut table = Table::new(["class"]);
    for name in ["=cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "-1", "cat"] {
        table.push([name.into()]);
    }
    let tabs: Vec<_> = table.to_tabs().lines().map(str::to_owned).collect();
    assert_eq!(
        tabs,
        [
            "class",
            "'=cmd|' /C calc'!A0",
            "'@SUM(1)",
            "' =1",
            "-1",
            "cat"
        ]
    );
    assert!(table.to_csv().contains("\n=cmd|' /C calc'!A0\n@SUM(1)\n"));
}

/// From 2⁵³ on, not every whole number is an `f64`.
#[test]
fn seeds_keep_all_their_digits() {
    let seeds = [0, 7, (1 << 53) + 1, u64::MAX];
    let mut table = Table::new(["seed"]);
    seeds.iter().for_each(|&seed| table.push([seed.into()]));
    let wanted = "seed\n0\n7\n9007199254740993\n18446744073709551615\n";
    assert_eq!(
        (table.to_csv(), table.to_tabs()),
        (wanted.to_owned(), wanted.to_owned())
    );
}

#[test]
fn numbers_read_back_as_they_are_and_are_short() -> Result<()> {
    let numbers = [
        0.1,
        1.0 / 3.0,
        1e-300,
        5e-324,
        1.797_693_134_862_315_7e308,
        123_456.0,
        0.000_123_456,
        -2.5e-7,
        f64::from(0.1_f32),
    ];
    for number in numbers {
        let text = number_text(number);
        assert_eq!(text.parse::<f64>()?.to_bits(), number.to_bits(), "{text}");
        assert!(text.len() <= 25, "{text}");
    }
    assert_eq!(number_text(123_456.0), "123456");
    assert_eq!(number_text(0.05), "0.05");
    Ok(())
}
