//! What a folder holds that has no classes, so that the error names it.

use std::ffi::OsStr;
use std::path::Path;

use super::super::super::error::DataError;
use super::super::left_out::Why;
use super::super::tree::Tree;
use crate::text::one_or_more;

/// Endings of tables, which may hold the labels.
const TABLES: [&str; 4] = ["csv", "tsv", "json", "jsonl"];
/// Endings of files of arrays or records.
const ARRAYS: [&str; 7] = ["tfrecord", "arrow", "npz", "npy", "mat", "h5", "lmdb"];

/// Whether a file has one of these endings, in any case.
fn ends(name: &OsStr, endings: &[&str]) -> bool {
    let ending = Path::new(name).extension().unwrap_or_default();
    endings
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
}

/// The error of a folder with fewer than two classes, or more than can be told apart.
pub(super) fn too_few_or_many(root: &Path, tree: &Tree, classes: &[String]) -> DataError {
    let problem = |problem: String| DataError::Layout {
        problem,
        path: root.to_owned(),
    };
    let counted = one_or_more(classes.len(), "class folder", "class folders");
    if classes.len() > 1 {
        return problem(format!("found {counted}, more than 65535"));
    }
    if let Some(sentence) = known(tree) {
        return DataError::Packed {
            problem: sentence,
            path: root.to_owned(),
        };
    }
    let counted = match classes {
        [only] => format!("{counted} (`{only}`)"),
        _ => counted,
    };
    let top = tree.folder(0);
    let images = top.images.len();
    let archive = top.others.iter().find(|(_, why)| *why == Why::Archive);
    let table = tree
        .folders
        .iter()
        .flat_map(|folder| &folder.others)
        .find(|(name, _)| ends(name, &TABLES));
    let beside = match (archive, table) {
        (Some((name, _)), _) => format!(
            "; unpack `{}` if the images are in it",
            name.to_string_lossy()
        ),
        (None, Some((name, _))) => format!(
            "; labels in a table, such as `{}`, are not read: sort the images into folders of their classes",
            name.to_string_lossy()
        ),
        (None, None) if images > 0 => {
            format!(
                "; {} without a class folder",
                one_or_more(images, "image lies", "images lie")
            )
        }
        (None, None) => String::new(),
    };
    problem(format!(
        "found {counted}, and at least 2 are needed{beside}"
    ))
}

/// What a folder is, where it is something known that is not read, or not from here.
fn known(tree: &Tree) -> Option<String> {
    let below = |number: usize| tree.folder(number).folders.iter().map(|sub| sub.to);
    let mut folders: Vec<usize> = vec![0];
    folders.extend(below(0));
    folders.extend(below(0).flat_map(below).collect::<Vec<_>>());
    for number in folders {
        let folder = tree.folder(number);
        let has = |name: &str| folder.others.iter().any(|(other, _)| other == name);
        if has("data_batch_1") || has("train") && has("test") && has("meta") {
            return Some(
                "this is CIFAR's Python version; get its “binary version” instead".to_owned(),
            );
        }
        if folder.others.iter().any(|(name, _)| ends(name, &ARRAYS)) {
            return Some(
                "it holds arrays or records (such as .npz, .mat, .arrow or .tfrecord), which are not read; write each image as \
                 a PNG file into a folder of its class"
                    .to_owned(),
            );
        }
    }
    None
}
