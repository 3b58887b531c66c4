//! Names of classes and layers as parts of tags.

use std::collections::BTreeSet;

use crate::text::{is_hidden, one_line};

/// Most characters of a name in a tag.
const LONGEST: usize = 120;

/// A name as a part of a tag. A slash would end the part, and characters that are not seen would make two tags look alike:
/// each becomes `_`.
pub(super) fn part(name: &str) -> String {
    let seen = |c: char| if c == '/' || is_hidden(c) { '_' } else { c };
    let name: String = one_line(name).chars().take(LONGEST).map(seen).collect();
    if name.is_empty() {
        "_".to_owned()
    } else {
        name
    }
}

/// Names as parts of tags, each different from all before it: a part that is taken gets a number, `part (2)`.
pub(super) fn parts<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let free = |name: &str| {
        let part = part(name);
        let others = (2_u64..).map(|number| format!("{part} ({number})"));
        let mut parts = std::iter::once(part.clone()).chain(others);
        let found = parts.find(|part| taken.insert(part.clone()));
        found.unwrap_or(part)
    };
    names.into_iter().map(free).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_strangers_become_parts_that_differ() {
        let names = [
            "cat",
            "Cat",
            "cat",
            "a/b",
            "a_b",
            "",
            " \t",
            "cat (2)",
            "x\u{1b}[1m",
            "\u{202e}y",
            " solar  panel\n",
            "猫",
        ];
        let wanted = [
            "cat",
            "Cat",
            "cat (2)",
            "a_b",
            "a_b (2)",
            "_",
            "_ (2)",
            "cat (2) (2)",
            "x_[1m",
            "_y",
            "solar panel",
            "猫",
        ];
        assert_eq!(parts(names), wanted);
        assert_eq!(part(&"x".repeat(1000)).len(), LONGEST);
    }
}
