//! The values that have a spelling of their own: the source of images, its splits, and the image size.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::value::{FieldValue, Kind, text_serde};

/// The source of images. As text: `solar`, or `folder:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    /// The built-in generator of solar-module photographs.
    Solar,
    /// A directory in torchvision's ImageFolder layout, or with CIFAR's binary batches, IDX files or parquet shards.
    Folder(PathBuf),
}

impl fmt::Display for DataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Solar => f.write_str("solar"),
            Self::Folder(path) => write!(f, "folder:{}", path.display()),
        }
    }
}

impl FromStr for DataSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "solar" => Ok(Self::Solar),
            Some(("folder", path)) => Ok(Self::Folder(path.into())),
            _ => Err(format!(
                "`{text}` is no data source; write `solar` or `folder:PATH`"
            )),
        }
    }
}

text_serde!(DataSource);

impl FieldValue for DataSource {
    const KIND: Kind = Kind::Source;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn print(&self) -> String {
        self.to_string()
    }

    fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Folder(path) if path.as_os_str().is_empty() => {
                Some("name the folder that holds the images")
            }
            Self::Solar | Self::Folder(_) => None,
        }
    }
}

/// Which folders hold which split, decided by hand. As text: `none`, or `train=FOLDER,val=FOLDER,test=FOLDER`, of which
/// `val` and `test` may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Splits {
    /// No folder is a split: every folder is a class.
    None,
    /// These folders are the splits.
    Named {
        /// The folder of the training images.
        train: String,
        /// The folder of the validation images.
        val: Option<String>,
        /// The folder of the test images.
        test: Option<String>,
    },
}

impl fmt::Display for Splits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Named { train, val, test } => {
                write!(f, "train={train}")?;
                let others = [("val", val), ("test", test)];
                for (split, folder) in others {
                    if let Some(folder) = folder {
                        write!(f, ",{split}={folder}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Splits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "none" {
            return Ok(Self::None);
        }
        let wrong = || {
            format!(
                "`{text}` names no splits; write `none` or `train=FOLDER,val=FOLDER,test=FOLDER`"
            )
        };
        let mut folders = [None, None, None];
        for part in text.split(',') {
            let (split, folder) = part.split_once('=').ok_or_else(wrong)?;
            let place = match split.trim() {
                "train" => 0,
                "val" => 1,
                "test" => 2,
                _ => return Err(wrong()),
            };
            let folder = folder.trim().trim_end_matches('/');
            if folder.is_empty() || folders[place].is_some() {
                return Err(wrong());
            }
            folders[place] = Some(folder.to_owned());
        }
        let [Some(train), val, test] = folders else {
            return Err(wrong());
        };
        Ok(Self::Named { train, val, test })
    }
}

text_serde!(Splits);

impl FieldValue for Splits {
    const KIND: Kind = Kind::Splits;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

/// Image size. As text: `WIDTHxHEIGHT`, such as `24x40`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (width, height) = text.split_once(['x', '×'])?;
            Some(Self {
                width: width.trim().parse().ok()?,
                height: height.trim().parse().ok()?,
            })
        };
        parse().ok_or_else(|| format!("`{text}` is no size; write WIDTHxHEIGHT, such as 32x32"))
    }
}

text_serde!(Size);

impl FieldValue for Size {
    const KIND: Kind = Kind::Size;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }

    fn print(&self) -> String {
        self.to_string()
    }

    fn numbers(&self) -> Vec<f64> {
        vec![self.width as f64, self.height as f64]
    }
}
