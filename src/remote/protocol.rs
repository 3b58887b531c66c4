//! What the two ends say to each other.
//!
//! The server's end begins with the line `crosscurrent share <protocol> <version>`. Then this end asks, a line of JSON for
//! each request, and the server answers each with a line of JSON; behind an [`Answer::Bytes`] stand that many bytes.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Version of the protocol. Ends of different versions do not talk to each other.
pub(super) const PROTOCOL: u32 = 1;

/// Beginning of the first line.
pub(super) const GREETING: &str = "crosscurrent share ";

/// Most bytes of a line.
pub(super) const LONGEST_LINE: u64 = 16 << 20;

/// Most runs of a folder.
pub(super) const MOST_RUNS: usize = 10_000;

/// Most files of a run.
pub(super) const MOST_FILES: usize = 100_000;

/// Most bytes of a file, which is what is read of a file of tensors.
pub(super) const MOST_BYTES: u64 = 8 << 30;

/// The log of a run.
pub(super) const LOG: &str = "events.jsonl";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Request {
    /// All further requests are about this folder. Answer: `Opened`.
    Open { folder: String },
    /// Which runs there are. Answer: `Runs`.
    Runs,
    /// Which files a run has, but for its log and its checkpoints. Answer: `Files`.
    Files { run: String },
    /// The bytes of a file from one on, at most so many. Answer: `Bytes`.
    Read {
        run: String,
        file: String,
        from: u64,
        most: u64,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    Opened,
    Runs(Vec<ListedRun>),
    Files(Vec<ListedFile>),
    Bytes {
        length: u64,
        changed: u64,
    },
    /// A sentence that says why not.
    Error(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListedRun {
    /// Its directory below the folder, with `/` between the parts; empty where the folder is the run.
    pub(super) path: String,
    /// Length of its log in bytes.
    pub(super) log: u64,
    /// Whether a process is writing it.
    pub(super) running: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ListedFile {
    /// Its path in the run.
    pub(super) path: String,
    /// Its length.
    pub(super) bytes: u64,
    /// When it was last changed, in milliseconds since 1970.
    pub(super) changed: u64,
}

/// Folders of a run whose files are copied.
pub(super) const FOLDERS: [&str; 3] = ["probes", "predictions", "verify"];

/// Files directly in a run that are copied.
pub(super) const FILES: [&str; 3] = ["run.toml", "notes.json", "data.safetensors"];

/// Whether a run has files of that name and they are copied: neither checkpoints nor anything else that lies beside them.
pub(super) fn is_file_of_run(path: &str) -> bool {
    if FILES.contains(&path) || path == LOG {
        return true;
    }
    let Some((folder, name)) = path.split_once('/') else {
        return false;
    };
    let stem = name.strip_suffix(".safetensors").unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    FOLDERS.contains(&folder) && (1..=40).contains(&stem.len()) && stem.chars().all(is_plain)
}

/// The directory of a run below a folder; `None` where the name leads elsewhere, or systems would take it for something
/// else.
pub(super) fn directory(path: &str) -> Option<PathBuf> {
    /// Deepest folder of a run.
    const DEPTH: usize = 8;
    if path.is_empty() {
        return Some(PathBuf::new());
    }
    let parts: Vec<&str> = path.split('/').collect();
    let is_name = |part: &&str| {
        let mut components = Path::new(part).components();
        let is_one = matches!(
            (components.next(), components.next()),
            (Some(Component::Normal(name)), None) if name == *part
        );
        let is_plain = !part.contains(|c: char| c.is_control() || "\\:*?\"<>|".contains(c));
        is_one
            && is_plain
            && part.len() <= 255
            && !part.ends_with(['.', ' '])
            && !part.starts_with('.')
    };
    (parts.len() <= DEPTH && parts.iter().all(is_name)).then(|| parts.iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_a_run_are_copied() {
        for path in [
            "run.toml",
            "events.jsonl",
            "notes.json",
            "data.safetensors",
            "probes/00000003.safetensors",
            "predictions/00000003-val.safetensors",
            "verify/00000003.safetensors",
        ] {
            assert!(is_file_of_run(path), "{path}");
        }
        for path in [
            "",
            "/etc/passwd",
            "../run.toml",
            "mirror.json",
            "probes",
            "probes/",
            "probes/.safetensors",
            "probes/../x.safetensors",
            "probes/../../x.safetensors",
            "probes/a/b.safetensors",
            "probes//x.safetensors",
            "probes/x\\y.safetensors",
            "probes/x:y.safetensors",
            "checkpoints/last.safetensors",
            ".ssh/authorized_keys",
        ] {
            assert!(!is_file_of_run(path), "{path}");
        }
    }

    #[test]
    fn directories_stay_below_the_folder() {
        assert_eq!(directory(""), Some(PathBuf::new()));
        assert_eq!(
            directory("sweep/a b_seed-1"),
            Some(PathBuf::from("sweep/a b_seed-1"))
        );
        for path in [
            "/x",
            "x/",
            "a//b",
            ".",
            "..",
            "../x",
            "a/../../x",
            "a/./b",
            "a\\b",
            "C:x",
            "a\nb",
            ".ssh",
            "a/b/c/d/e/f/g/h/i",
            "x.",
            "a\0b",
        ] {
            assert_eq!(directory(path), None, "{path:?}");
        }
        assert_eq!(directory(&"x".repeat(256)), None);
    }
}
