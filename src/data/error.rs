//! Why images cannot be used.

use std::path::PathBuf;

use crate::text::{one_line, shown, visible};

/// Why images cannot be used. Each message says what to do; paths come last.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or directory cannot be read.
    #[error("cannot read the images: {error}: {}", shown(path))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The directory does not have the expected layout.
    #[error(
        "{}; expected root/class/image.png or root/train/class/image.png: {}",
        visible(problem),
        shown(path)
    )]
    Layout {
        /// What is wrong.
        problem: String,
        /// The directory.
        path: PathBuf,
    },
    /// A file that holds many images is damaged, or the files and folders of a folder do not fit together or may be two
    /// things.
    #[error("{}: {}", visible(problem), shown(path))]
    Packed {
        /// What is wrong, and what to do.
        problem: String,
        /// The file or directory.
        path: PathBuf,
    },
    /// A class has no training image.
    #[error("class `{class}` has no training image; {reason}: {}", shown(path))]
    EmptyClass {
        /// Name of the class.
        class: String,
        /// Why, and what to do.
        reason: String,
        /// Directory of the class.
        path: PathBuf,
    },
    /// With this configuration, a run would mean nothing.
    #[error("{0}")]
    Settings(String),
    /// An image cannot be decoded.
    #[error(
        "cannot decode this image ({}); repair or delete it, or choose “Skip unreadable images”: {}",
        one_line(reason),
        shown(path)
    )]
    Unreadable {
        /// The decoder's reason.
        reason: String,
        /// The file of the image.
        path: PathBuf,
    },
    /// An image is of a kind that is not read.
    #[error(
        "cannot read an image of this kind ({}); convert it to PNG or JPEG, or choose “Skip unreadable images”: {}",
        one_line(reason),
        shown(path)
    )]
    Unsupported {
        /// What the decoder lacks.
        reason: String,
        /// The file of the image.
        path: PathBuf,
    },
    /// The images do not fit into memory.
    #[error("{images} images of this size need {gib:.1} GiB of memory; choose a smaller `size`")]
    TooLarge {
        /// Number of images.
        images: usize,
        /// Bytes they would need, in GiB.
        gib: f64,
    },
    /// The caller asked to stop.
    #[error("reading the images was stopped")]
    Cancelled,
}

impl DataError {
    /// The error as a note on an image that is left out: without the advice to leave it out.
    pub(super) fn brief(&self) -> String {
        match self {
            Self::Unreadable { reason, path } | Self::Unsupported { reason, path } => {
                format!("{}: {}", shown(path), one_line(reason))
            }
            Self::Io { path, error } => format!("{}: {error}", shown(path)),
            other @ (Self::Layout { .. }
            | Self::Packed { .. }
            | Self::EmptyClass { .. }
            | Self::Settings(_)
            | Self::TooLarge { .. }
            | Self::Cancelled) => other.to_string(),
        }
    }
}
