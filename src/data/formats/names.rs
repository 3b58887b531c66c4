//! What names say: which split the name of a folder or file means, how a class is called, and which class names can be
//! mistaken for each other.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::text::{is_formula, is_hidden, one_or_more, visible};

/// Words for splits: 0 training, 1 validation, 2 test.
const SPLITS: [(&str, usize); 19] = [
    ("train", 0),
    ("training", 0),
    ("trn", 0),
    ("val", 1),
    ("valid", 1),
    ("validation", 1),
    ("validate", 1),
    ("validating", 1),
    ("dev", 1),
    ("devel", 1),
    ("development", 1),
    ("eval", 1),
    ("evaluation", 1),
    ("test", 2),
    ("tests", 2),
    ("testing", 2),
    ("tst", 2),
    ("holdout", 2),
    ("heldout", 2),
];
/// Words that say nothing about the split: `train_images`, `test-set`, `partial-train`.
const FILLERS: [&str; 16] = [
    "set", "sets", "data", "dataset", "image", "images", "img", "imgs", "split", "folder", "files",
    "samples", "partial", "the", "of", "my",
];

/// The words of a name in lower case; digits are left out, and words begin at capitals, too (`trainA`).
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let begins = c.is_uppercase() && before.is_lowercase();
        if !c.is_alphabetic() || begins {
            words.push(String::new());
        }
        if c.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    // `hold-out` and `held_out` are one word.
    if let Some(at) = words
        .windows(2)
        .position(|two| ["hold", "held"].contains(&two[0].as_str()) && two[1] == "out")
    {
        let out = words.remove(at + 1);
        words[at].push_str(&out);
    }
    words
}

/// The split that a word means, alone or with a filler at its end: `train`, `testset`.
fn split_of_word(word: &str) -> Option<usize> {
    let known = |word: &str| {
        SPLITS
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, split)| *split)
    };
    let glued = || {
        FILLERS
            .iter()
            .find_map(|filler| known(word.strip_suffix(filler)?))
    };
    known(word).or_else(glued)
}

/// The split that words mean where they mean nothing else.
pub(super) fn split_of(words: &[String]) -> Option<usize> {
    let mut splits = words
        .iter()
        .filter(|word| !FILLERS.contains(&word.as_str()))
        .map(|word| split_of_word(word));
    let first = splits.next()??;
    splits.next().is_none().then_some(first)
}

/// The first split that occurs in words, whatever else they mean.
pub(super) fn split_within(words: &[String]) -> Option<usize> {
    words.iter().find_map(|word| split_of_word(word))
}

/// Numbers of words that all names begin with, and that all names end with; at least one word of each name is left.
pub(super) fn common(names: &[Vec<String>]) -> (usize, usize) {
    let Some(first) = names.first().filter(|_| names.len() > 1) else {
        return (0, 0);
    };
    let shortest = names.iter().map(Vec::len).min().unwrap_or(0);
    let most = shortest.saturating_sub(1);
    let is_shared = |at: usize| names.iter().all(|name| name[at] == first[at]);
    let start = (0..most).take_while(|&at| is_shared(at)).count();
    let is_shared = |back: usize| {
        let word = |name: &Vec<String>| name[name.len() - 1 - back].clone();
        names.iter().all(|name| word(name) == word(first))
    };
    let end = (0..most - start)
        .take_while(|&back| is_shared(back))
        .count();
    (start, end)
}

/// Names of folders and files that systems make by themselves.
pub(super) fn is_of_system(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "__macosx",
        "thumbs.db",
        "desktop.ini",
        ".ds_store",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "__pycache__",
    ];
    NAMES.contains(&name.to_lowercase().as_str())
}

/// The name of a class: accents composed (Unicode's form NFC), so that one name written in two ways is one class, and
/// control characters written out.
pub(super) fn class_name(name: &str) -> String {
    let composed: String = name.nfc().collect();
    visible(&composed).into_owned()
}

/// Whether a name is changed by [`class_name`] because of its control characters.
fn is_unsafe(name: &str) -> bool {
    name.contains(is_hidden)
}

/// Sentences about class names that were changed, or that can be mistaken for each other. `raw` are the names as found.
pub(super) fn notes<'a>(classes: &[String], raw: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut notes = Vec::new();
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut unsafe_names = Vec::new();
    for name in raw {
        let forms = found.entry(class_name(name)).or_default();
        if !forms.contains(&name) {
            forms.push(name);
            if is_unsafe(name) {
                unsafe_names.push(class_name(name));
            }
        }
    }
    if let Some(example) = unsafe_names.first() {
        notes.push(format!(
            "{} with control characters, which are written out: `{example}`",
            one_or_more(unsafe_names.len(), "class name", "class names")
        ));
    }
    let formulas: Vec<&String> = classes.iter().filter(|name| is_formula(name)).collect();
    if let Some(example) = formulas.first() {
        notes.push(format!(
            "{} that a spreadsheet takes for a formula when it opens an exported table: `{example}`; rename it, or import \
             its column as text",
            one_or_more(formulas.len(), "class name", "class names")
        ));
    }
    for (name, forms) in &found {
        if forms.len() > 1 {
            notes.push(format!(
                "`{name}` is written in {} Unicode forms, which are one class",
                forms.len()
            ));
        }
    }
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for class in classes {
        let folded: String = class
            .nfkc()
            .filter(|c| !matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}'))
            .collect();
        let key = folded.to_lowercase().split_whitespace().collect();
        alike.entry(key).or_default().push(class);
    }
    for names in alike.values().filter(|names| names.len() > 1) {
        let same = names.windows(2).all(|two| two[0] == two[1]);
        let how = if same {
            "have one name"
        } else {
            "differ only in case, spaces or the like"
        };
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        notes.push(format!(
            "the classes {} {how}; rename one if they are the same",
            names.join(" and ")
        ));
    }
    notes
}
