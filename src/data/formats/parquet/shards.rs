//! The parquet files of a folder, and which split each belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::super::error::DataError;
use super::super::super::splits::SPLIT_NAMES;
use super::super::format::Source;
use super::super::item::problem;
use super::super::left_out::{LeftOut, Why};
use super::super::listing::children;
use super::super::names::{split_of, split_within, words};
use crate::config::Splits;

/// Folders below a folder in which shards are looked for: `config/split/0000.parquet`.
const DEPTH: usize = 2;

/// Shards with their splits.
type Files = Vec<(PathBuf, usize)>;

/// A shard and what its path says.
struct Shard {
    path: PathBuf,
    /// The words of its file name before any number, or behind the first ones where these name a split, or of its folder
    /// where there are none.
    words: Vec<String>,
    /// The folders that it lies in, but for one that names its split.
    set: PathBuf,
}

/// Whether a folder holds shards.
pub(super) fn are_there(at: &Path) -> bool {
    !files(at, DEPTH).is_empty()
}

fn files(at: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in children(at).unwrap_or_default() {
        let is_shard = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("parquet"));
        if path.is_dir() {
            if depth > 0 {
                found.extend(files(&path, depth - 1));
            }
        } else if is_shard && path.is_file() {
            found.push(path);
        }
    }
    found
}

/// The shards of a folder with their splits, sorted by path, and sentences about what was recognised and left out.
pub(super) fn shards(source: &Source<'_>) -> Result<(Files, Vec<String>), DataError> {
    let all = files(source.at, DEPTH);
    let found: Vec<Shard> = all
        .iter()
        .map(|path| Shard::new(source.at, path.clone()))
        .collect();
    let (mut left_out, mut notes) = (LeftOut::default(), Vec::new());
    let shards = match &source.config.splits {
        Some(Splits::None) => found.into_iter().map(|shard| (shard.path, 0)).collect(),
        Some(Splits::Named { train, val, test }) => {
            let named = [Some(train), val.as_ref(), test.as_ref()];
            by_hand(source.at, found, named, &mut left_out)?
        }
        None => by_name(source, found, &mut left_out, &mut notes)?,
    };
    notes.extend(missing(&all, &shards));
    notes.extend(left_out.sentence(source.root));
    Ok((shards, notes))
}

/// The name of a shard's set, its number, and how many there are, as its file name has them: `train`, 0 and 2 of
/// `train-00000-of-00002.parquet`. Where nothing is before the number, the folder names the set.
fn numbered(path: &Path) -> Option<(String, usize, usize)> {
    let parts: Vec<&str> = path.file_stem()?.to_str()?.split('-').collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let at = parts
        .windows(3)
        .position(|three| is_number(three[0]) && three[1] == "of" && is_number(three[2]))?;
    let name = if at == 0 {
        path.parent()?.file_name()?.to_string_lossy().into_owned()
    } else {
        parts[..at].join("-")
    };
    Some((name, parts[at].parse().ok()?, parts[at + 2].parse().ok()?))
}

/// Sentences about shards that are not there although the names of those that are `read` count them. `all` are all files.
fn missing(all: &[PathBuf], read: &[(PathBuf, usize)]) -> Vec<String> {
    let read: BTreeSet<&PathBuf> = read.iter().map(|(path, _)| path).collect();
    let mut sets: BTreeMap<_, (BTreeSet<usize>, bool)> = BTreeMap::new();
    for path in all {
        if let Some((name, number, total)) = numbered(path) {
            let (numbers, is_read) = sets.entry((path.parent(), name, total)).or_default();
            numbers.insert(number);
            *is_read |= read.contains(path);
        }
    }
    let mut notes = Vec::new();
    for ((_, name, total), (numbers, is_read)) in sets {
        let missing = total.saturating_sub(numbers.len());
        if is_read && missing > 0 {
            let (verb, them) = match missing {
                1 => ("is", "it"),
                _ => ("are", "them"),
            };
            notes.push(format!(
                "{missing} of {total} shards of `{name}` {verb} not there; get {them} to read all images"
            ));
        }
    }
    notes
}

impl Shard {
    fn new(at: &Path, path: PathBuf) -> Self {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let parts = || stem.split(['-', '_', '.']);
        let is_number = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
        let before = parts().take_while(|part| !is_number(part));
        let mut named = words(&before.collect::<Vec<_>>().join("-"));
        // A split may come after a number, as in `01_train` and `32x32-train`. Other words there may be of a hash.
        let behind = parts()
            .skip_while(is_number)
            .take_while(|part| !is_number(part));
        let behind = words(&behind.collect::<Vec<_>>().join("-"));
        if split_within(&behind).is_some() {
            named = behind;
        }
        let mut set = path
            .parent()
            .and_then(|folder| folder.strip_prefix(at).ok())
            .unwrap_or(Path::new(""))
            .to_owned();
        if let Some(folder) = set.file_name().map(|name| words(&name.to_string_lossy()))
            && split_within(&named).is_none()
        {
            let is_split = split_of(&folder).is_some();
            if is_split || named.is_empty() {
                named = folder;
                set.pop();
            }
        }
        Self {
            path,
            words: named,
            set,
        }
    }

    fn name(&self) -> String {
        self.words.join(" ")
    }
}

/// The splits that names say. Where none says one, all shards are for training.
fn by_name(
    source: &Source<'_>,
    found: Vec<Shard>,
    left_out: &mut LeftOut,
    notes: &mut Vec<String>,
) -> Result<Files, DataError> {
    let sets: BTreeSet<&Path> = found.iter().map(|shard| shard.set.as_path()).collect();
    if sets.len() > 1 {
        return Err(several(source, &sets));
    }
    if found
        .iter()
        .all(|shard| split_within(&shard.words).is_none())
    {
        let names: BTreeSet<String> = found.iter().map(Shard::name).collect();
        let folders: BTreeSet<_> = found.iter().map(|shard| shard.path.parent()).collect();
        if folders.len() > 1 {
            let folders: BTreeSet<&Path> = folders.into_iter().flatten().collect();
            let folders = folders
                .into_iter()
                .map(|path| path.strip_prefix(source.at).unwrap_or(path))
                .collect();
            return Err(several(source, &folders));
        }
        if found.len() > 1 || !names.contains("") {
            notes.push("no shard's name says a split, so that all hold training images".to_owned());
        }
        return Ok(found.into_iter().map(|shard| (shard.path, 0)).collect());
    }
    let mut splits = Vec::new();
    for (split, said) in SPLIT_NAMES.iter().enumerate() {
        let of = |exact: bool| {
            let says = |shard: &&Shard| match exact {
                true => split_of(&shard.words) == Some(split),
                false => split_within(&shard.words) == Some(split),
            };
            found
                .iter()
                .filter(says)
                .map(Shard::name)
                .collect::<BTreeSet<String>>()
        };
        let names = match of(true) {
            exact if exact.is_empty() => of(false),
            exact => exact,
        };
        if names.len() > 1 {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let reason = format!(
                "shards called {} may all be of the {said} split; name those to read with `--splits train=NAME,val=NAME,test=NAME`",
                names.join(" and ")
            );
            return Err(problem(source.at, reason));
        }
        splits.extend(names.into_iter().map(|name| (name, split)));
    }
    let said: Vec<_> = splits
        .iter()
        .map(|(name, split)| format!("{} images from `{name}`", SPLIT_NAMES[*split]))
        .collect();
    notes.push(format!("splits: {}", said.join(", ")));
    let mut shards = Vec::new();
    for shard in found {
        match splits.iter().find(|(name, _)| *name == shard.name()) {
            Some((_, split)) => shards.push((shard.path, *split)),
            None => left_out.add(Why::OtherSplit, &shard.path),
        }
    }
    Ok(shards)
}

/// The error of a folder with several data sets.
fn several(source: &Source<'_>, sets: &BTreeSet<&Path>) -> DataError {
    let names: Vec<_> = sets
        .iter()
        .map(|set| format!("`{}`", source.at.join(set).display()))
        .collect();
    let example = sets
        .iter()
        .next_back()
        .map(|set| source.at.join(set))
        .unwrap_or_default();
    let reason = format!(
        "the shards in {} may be several data sets or splits; write `--data folder:{}` for one of them, or name the folders of \
         the splits with `--splits train=FOLDER,test=FOLDER`",
        names.join(" and "),
        example.display()
    );
    problem(source.at, reason)
}

/// The splits that the user names: by a folder, or by how the names of files begin.
fn by_hand(
    at: &Path,
    found: Vec<Shard>,
    named: [Option<&String>; 3],
    left_out: &mut LeftOut,
) -> Result<Files, DataError> {
    let (mut shards, mut has) = (Vec::new(), [false; 3]);
    for shard in found {
        let within = shard.path.strip_prefix(at).unwrap_or(&shard.path);
        let file = within.file_name().unwrap_or_default().to_string_lossy();
        let is_of = |name: &&String| {
            within.starts_with(name)
                || file.starts_with(name.as_str())
                || within.to_string_lossy().starts_with(name.as_str())
        };
        // `train-val` begins with `train`: of several names that fit, the longest is meant.
        let fitting = (0..3).filter_map(|split| Some((named[split].filter(is_of)?.len(), split)));
        match fitting.max() {
            Some((_, split)) => {
                has[split] = true;
                shards.push((shard.path, split));
            }
            None => left_out.add(Why::OtherSplit, &shard.path),
        }
    }
    for split in 0..3 {
        if let Some(name) = named[split].filter(|_| !has[split]) {
            return Err(problem(
                at,
                format!("`--splits` names the shards `{name}`, and there are none"),
            ));
        }
    }
    Ok(shards)
}
