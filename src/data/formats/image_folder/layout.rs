//! Which folders are splits and which are classes, judged by names and by what lies in them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::super::super::error::DataError;
use super::super::super::splits::SPLIT_NAMES;
use super::super::left_out::{LeftOut, Why};
use super::super::names::{split_of, words};
use super::super::tree::{Sub, Tree};
use crate::config::Splits;
use crate::text::one_or_more;

/// Folders that are entered one after the other where each is the only one in the last.
const DEEPEST: usize = 8;

/// A folder whose images are of one class and one split.
#[derive(Debug)]
pub(super) struct Place {
    /// 0 training, 1 validation, 2 test.
    pub(super) split: usize,
    /// Name of the class, as the folder has it.
    pub(super) class: String,
    /// Number of the folder in the tree.
    pub(super) folder: usize,
    pub(super) path: PathBuf,
    /// Whether the folder is a link, or lies behind one.
    pub(super) is_link: bool,
}

/// The folders of all classes, and what was made of the others.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// In the order of the splits' names, each in that of the classes' names.
    pub(super) places: Vec<Place>,
    /// Sentences about what was recognised.
    pub(super) notes: Vec<String>,
    pub(super) left_out: LeftOut,
    /// The splits that have a folder.
    pub(super) has: [bool; 3],
}

/// A folder of the tree with its path.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) folder: usize,
    pub(super) path: PathBuf,
    pub(super) name: String,
    /// Whether the folder is a link, or lies behind one.
    pub(super) is_link: bool,
}

/// Reads a tree as classes, or as splits that hold classes; `splits` decides by hand.
pub(super) fn layout(
    tree: &Tree,
    root: &Path,
    splits: Option<&Splits>,
) -> Result<Layout, DataError> {
    let reading = Reader { tree, root };
    let mut layout = Layout::default();
    let top = At {
        folder: 0,
        path: root.to_owned(),
        name: String::new(),
        is_link: false,
    };
    let mut chosen = match splits {
        Some(Splits::Named { train, val, test }) => {
            let named = [(0, Some(train)), (1, val.as_ref()), (2, test.as_ref())];
            let named = named
                .into_iter()
                .filter_map(|(split, name)| Some((split, name?)));
            named
                .map(|(split, name)| Ok((split, reading.walk(&top, name)?)))
                .collect::<Result<Vec<_>, _>>()?
        }
        Some(Splits::None) => {
            let at = reading.enter(top, &mut layout)?;
            reading.classes(0, &at, &mut layout)?;
            return Ok(layout);
        }
        None => {
            let at = reading.enter(top, &mut layout)?;
            match reading.splits(&at, &mut layout)? {
                splits if splits.is_empty() => {
                    reading.classes_at_top(&at, &mut layout)?;
                    return Ok(layout);
                }
                splits => splits,
            }
        }
    };
    for (split, at) in &chosen {
        layout.has[*split] = true;
        let at = reading.enter(at.clone(), &mut layout)?;
        if splits.is_none() && *split == 0 {
            reading.refuse_sets_of_splits(&chosen, &at)?;
        }
        reading.classes(*split, &at, &mut layout)?;
    }
    // The images stay in the order of the folders: the fingerprint depends on it.
    chosen.sort_by_key(|(split, _)| *split);
    let said: Vec<_> = chosen
        .iter()
        .map(|(split, at)| {
            format!(
                "{} images from `{}`",
                SPLIT_NAMES[*split],
                reading.short(&at.path)
            )
        })
        .collect();
    let mut said = format!("splits: {}", said.join(", "));
    if !layout.has[2] {
        said.push_str("; test images are set apart from the training images");
    }
    layout.notes.push(said);
    Ok(layout)
}

/// A tree that is looked at.
pub(super) struct Reader<'a> {
    pub(super) tree: &'a Tree,
    root: &'a Path,
}

impl Reader<'_> {
    /// A path relative to the root, for sentences.
    pub(super) fn short(&self, path: &Path) -> String {
        path.strip_prefix(self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    pub(super) fn problem(&self, at: &At, problem: String) -> DataError {
        DataError::Packed {
            problem,
            path: at.path.clone(),
        }
    }

    /// A folder in a folder.
    fn sub(&self, at: &At, sub: &Sub) -> Result<At, DataError> {
        let path = at.path.join(&sub.name);
        let name = sub.name.to_str().map(str::to_owned);
        let name = name.ok_or_else(|| DataError::Layout {
            problem: "a folder's name is not valid UTF-8; rename it".to_owned(),
            path: path.clone(),
        })?;
        Ok(At {
            folder: sub.to,
            path,
            name,
            is_link: at.is_link || sub.is_link,
        })
    }

    pub(super) fn populated(&self, at: &At) -> Result<Vec<At>, DataError> {
        self.tree
            .populated(at.folder)
            .into_iter()
            .map(|sub| self.sub(at, sub))
            .collect()
    }

    /// The folder with a path below another one.
    pub(super) fn walk(&self, at: &At, path: &str) -> Result<At, DataError> {
        let mut at = at.clone();
        for part in Path::new(path)
            .iter()
            .filter(|part| *part != OsStr::new("."))
        {
            let folder = self.tree.folder(at.folder);
            let sub = folder.folders.iter().find(|sub| sub.name == part);
            let sub = sub.ok_or_else(|| {
                self.problem(
                    &at,
                    format!("`--splits` names the folder `{path}`, which is not there"),
                )
            })?;
            at = self.sub(&at, sub)?;
        }
        Ok(at)
    }

    /// Whether a folder holds folders with images.
    pub(super) fn holds_folders(&self, at: &At) -> bool {
        !self.tree.populated(at.folder).is_empty()
    }

    /// Whether images lie in a folder itself.
    pub(super) fn holds_images(&self, at: &At) -> bool {
        let folder = self.tree.folder(at.folder);
        !folder.images.is_empty() || folder.others.iter().any(|(_, why)| *why == Why::Unreadable)
    }

    /// The folder in which classes or splits lie: where one folder alone has images, and they lie in folders of its own,
    /// it is entered.
    fn enter(&self, mut at: At, layout: &mut Layout) -> Result<At, DataError> {
        for _ in 0..DEEPEST {
            let populated = self.populated(&at)?;
            let [only] = populated.as_slice() else {
                break;
            };
            let folders = &self.tree.folder(at.folder).folders;
            let is_bare = |sub: &&Sub| {
                !self
                    .tree
                    .others_below(sub.to)
                    .keys()
                    .any(|why| why.is_content())
            };
            let beside = folders.iter().filter(|sub| sub.to != only.folder);
            // An empty folder beside it is a class that lacks its images.
            let has_bare = beside.clone().any(|sub| is_bare(&sub));
            let is_split = split_of(&words(&only.name)).is_some();
            if has_bare || is_split || self.holds_images(only) || !self.holds_folders(only) {
                break;
            }
            for sub in beside {
                layout
                    .left_out
                    .add(Why::WithoutImages, &at.path.join(&sub.name));
            }
            self.leave_files(&at, layout);
            layout.notes.push(format!(
                "the folder `{}` is entered, the only one with images",
                self.short(&only.path)
            ));
            at = only.clone();
        }
        Ok(at)
    }

    /// Leaves out the files of a folder that is no class.
    pub(super) fn leave_files(&self, at: &At, layout: &mut Layout) {
        let folder = self.tree.folder(at.folder);
        for image in &folder.images {
            layout
                .left_out
                .add(Why::BesideClasses, &at.path.join(&image.name));
        }
        for (name, why) in &folder.others {
            layout.left_out.add(*why, &at.path.join(name));
        }
    }

    /// The classes in a folder that is no split: a class may hold its own splits.
    fn classes_at_top(&self, at: &At, layout: &mut Layout) -> Result<(), DataError> {
        let folders = self.populated(at)?;
        let inner: Vec<_> = folders
            .iter()
            .map(|class| self.splits_of_class(class))
            .collect::<Result<_, _>>()?;
        let trained = inner
            .iter()
            .filter(|splits| splits.iter().any(|(split, _)| *split == 0))
            .count();
        let tested = inner
            .iter()
            .any(|splits| splits.iter().any(|(split, _)| *split > 0));
        if tested && folders.len() > 1 && trained == folders.len() {
            let training = folders.iter().zip(&inner).filter_map(|(class, splits)| {
                let (_, place) = splits.iter().find(|(split, _)| *split == 0)?;
                Some(At {
                    folder: place.folder,
                    ..class.clone()
                })
            });
            self.refuse_sets(at, &training.collect::<Vec<_>>())?;
            for (class, splits) in folders.iter().zip(inner) {
                for (split, place) in splits {
                    layout.has[split] = true;
                    layout.places.push(Place {
                        split,
                        class: class.name.clone(),
                        folder: place.folder,
                        path: place.path,
                        is_link: place.is_link,
                    });
                }
            }
            layout
                .places
                .sort_by(|a, b| (a.split, &a.path).cmp(&(b.split, &b.path)));
            layout.notes.push("splits: every class folder holds folders of its own for training and the other splits".to_owned());
            self.leave_files(at, layout);
            return Ok(());
        }
        if tested && trained > 0 {
            return Err(self.problem(
                at,
                "some class folders hold folders named after splits and others do not; give each class its own, or write \
                 `--splits none` to read every image below a class folder as one of its training images"
                    .to_owned(),
            ));
        }
        self.refuse_sets(at, &folders)?;
        self.classes(0, at, layout)
    }

    /// Takes every folder in a folder as a class of a split.
    fn classes(&self, split: usize, at: &At, layout: &mut Layout) -> Result<(), DataError> {
        let mut nested = Vec::new();
        for sub in &self.tree.folder(at.folder).folders {
            let sub = self.sub(at, sub)?;
            let others = self.tree.others_below(sub.folder);
            let is_other = self.tree.images_below(sub.folder) == 0
                && others.contains_key(&Why::Other)
                && others
                    .keys()
                    .all(|why| *why == Why::Other || !why.is_content());
            if is_other {
                layout.left_out.add(Why::WithoutImages, &sub.path);
                continue;
            }
            if self.holds_folders(&sub) && !self.holds_images(&sub) {
                nested.push(self.short(&sub.path));
            }
            layout.places.push(Place {
                split,
                class: sub.name,
                folder: sub.folder,
                path: sub.path,
                is_link: sub.is_link,
            });
        }
        if !nested.is_empty() {
            layout.notes.push(format!(
                "{} only folders, whose images are of the class at the top, such as `{}`",
                one_or_more(nested.len(), "class folder holds", "class folders hold"),
                nested[0]
            ));
        }
        self.leave_files(at, layout);
        Ok(())
    }
}
