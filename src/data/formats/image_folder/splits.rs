//! Which folders are splits: judged by their names, and refused where they may be classes as well.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::super::error::DataError;
use super::super::left_out::Why;
use super::super::names::{class_name, common, split_of, split_within, words};
use super::super::tree::Sub;
use super::layout::{At, Layout, Reader};

impl Reader<'_> {
    /// The splits in a folder; none where its folders are classes. Folders that could be either are an error.
    pub(super) fn splits(
        &self,
        at: &At,
        layout: &mut Layout,
    ) -> Result<Vec<(usize, At)>, DataError> {
        let folders = self.populated(at)?;
        let names: Vec<_> = folders.iter().map(|sub| words(&sub.name)).collect();
        let (start, end) = common(&names);
        let names: Vec<_> = names
            .iter()
            .map(|name| &name[start..name.len() - end])
            .collect();
        let (mut marked, mut others, mut looks) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut all_look = true;
        for (folder, words) in folders.iter().zip(&names) {
            looks.extend(split_within(words));
            all_look &= split_within(words).is_some();
            match split_of(words) {
                Some(split) => marked.push((split, folder.clone())),
                None => others.push(folder.clone()),
            }
        }
        let (deep, flat): (Vec<_>, Vec<_>) = marked
            .into_iter()
            .partition(|(_, folder)| self.holds_folders(folder));
        if deep.is_empty() {
            if all_look && (looks.len() > 1 || looks.contains(&0)) && folders.len() > 1 {
                return Err(match others.is_empty() {
                    true => self.flat(at, &folders),
                    false => self.both(at, &folders),
                });
            }
            for (_, folder) in &flat {
                layout.notes.push(format!(
                    "`{}` is a class, since it holds images and no class folders",
                    folder.name
                ));
            }
            return Ok(Vec::new());
        }
        let is_sure = deep.iter().any(|(split, _)| *split == 0);
        let is_twice = deep
            .iter()
            .any(|(split, _)| deep.iter().filter(|(other, _)| other == split).count() > 1);
        let has_held_out = deep.iter().any(|(split, _)| *split != 0);
        if !is_sure && !others.is_empty() && !self.are_alike(&deep, &others)? {
            return Ok(Vec::new());
        }
        if !is_sure || is_twice || (!has_held_out && !others.is_empty()) {
            return Err(self.both(at, &folders));
        }
        flat.iter()
            .for_each(|(_, folder)| layout.left_out.add(Why::WithoutClasses, &folder.path));
        others
            .iter()
            .for_each(|folder| layout.left_out.add(Why::BesideSplits, &folder.path));
        let is_left = |sub: &&Sub| folders.iter().all(|folder| folder.folder != sub.to);
        for sub in self.tree.folder(at.folder).folders.iter().filter(is_left) {
            layout
                .left_out
                .add(Why::WithoutImages, &at.path.join(&sub.name));
        }
        self.leave_files(at, layout);
        Ok(deep)
    }

    /// Whether folders named after splits and others hold folders of the same names.
    fn are_alike(&self, splits: &[(usize, At)], others: &[At]) -> Result<bool, DataError> {
        let mut found = BTreeSet::new();
        for (_, split) in splits {
            found.extend(self.names_in(split)?);
        }
        for other in others {
            if self
                .names_in(other)?
                .iter()
                .any(|name| found.contains(name))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn names_in(&self, at: &At) -> Result<BTreeSet<String>, DataError> {
        Ok(self
            .populated(at)?
            .iter()
            .map(|sub| class_name(&sub.name))
            .collect())
    }

    /// The error of folders that are named after splits and hold no classes.
    fn flat(&self, at: &At, folders: &[At]) -> DataError {
        let names: Vec<_> = folders
            .iter()
            .map(|folder| format!("`{}`", folder.name))
            .collect();
        self.problem(
            at,
            format!(
                "the folders {} are named after splits, and hold images and no class folders; sort the images of each into \
                 folders of their classes, or write `--splits none` if the folders are the classes",
                names.join(", ")
            ),
        )
    }

    /// The error of folders that may be splits and may be classes.
    fn both(&self, at: &At, folders: &[At]) -> DataError {
        let names: Vec<_> = folders
            .iter()
            .take(6)
            .map(|folder| format!("`{}`", folder.name))
            .collect();
        let example = |wanted: usize| {
            let found = folders
                .iter()
                .find(|folder| split_within(&words(&folder.name)) == Some(wanted));
            found.map(|folder| self.short(&folder.path))
        };
        let train = example(0).unwrap_or_else(|| "FOLDER".to_owned());
        let test = example(2)
            .or_else(|| example(1))
            .unwrap_or_else(|| "FOLDER".to_owned());
        self.problem(
            at,
            format!(
                "the folders {} may be splits that hold classes, or classes; write `--splits train={train},test={test}` for \
                 the first, `--splits none` for the second",
                names.join(", ")
            ),
        )
    }

    /// The splits in a class folder; none where anything else is in it.
    pub(super) fn splits_of_class(&self, class: &At) -> Result<Vec<(usize, At)>, DataError> {
        if self.holds_images(class) {
            return Ok(Vec::new());
        }
        let folders = self.populated(class)?.into_iter();
        let splits = folders.map(|sub| Some((split_of(&words(&sub.name))?, sub)));
        Ok(splits.collect::<Option<_>>().unwrap_or_default())
    }

    /// The first two of folders that all hold folders of the same names: several data sets rather than classes.
    fn sets<'a>(&self, folders: &'a [At]) -> Result<Option<[&'a At; 2]>, DataError> {
        let [first, second, ..] = folders else {
            return Ok(None);
        };
        let names = self.names_in(first)?;
        let mut alike = names.len() > 1 && !folders.iter().any(|folder| self.holds_images(folder));
        for other in &folders[1..] {
            alike = alike && self.names_in(other)? == names;
        }
        Ok(alike.then_some([first, second]))
    }

    /// Refuses folders that may be data sets or classes.
    pub(super) fn refuse_sets(&self, at: &At, folders: &[At]) -> Result<(), DataError> {
        let Some([first, second]) = self.sets(folders)? else {
            return Ok(());
        };
        let (one, other) = (&first.name, &second.name);
        let path = first.path.display();
        Err(self.problem(
            at,
            format!(
                "the folders `{one}` and `{other}` hold folders of the same names, so they may be data sets or classes; write \
                 `--data folder:{path}` for one of the data sets, `--splits none` for the classes"
            ),
        ))
    }

    /// Refuses folders of training images, which lie in `at`, that may be data sets or classes. `chosen` are the folders of
    /// all splits.
    pub(super) fn refuse_sets_of_splits(
        &self,
        chosen: &[(usize, At)],
        at: &At,
    ) -> Result<(), DataError> {
        let folders = self.populated(at)?;
        let Some([first, second]) = self.sets(&folders)? else {
            return Ok(());
        };
        let folder_of = |split: usize| chosen.iter().find(|(other, _)| *other == split);
        // What to write for the splits: their folders, or the folder `below` each of them.
        let option = |below: &Path| {
            let names = ["train", "val", "test"].into_iter().enumerate();
            let named = names.filter_map(|(split, name)| {
                let (_, folder) = folder_of(split)?;
                let found = self.walk(folder, &below.to_string_lossy()).ok()?;
                Some(format!("{name}={}", self.short(&found.path)))
            });
            named.collect::<Vec<_>>().join(",")
        };
        let below = folder_of(0).and_then(|(_, train)| first.path.strip_prefix(&train.path).ok());
        let set = option(below.unwrap_or(Path::new("")));
        let classes = option(Path::new(""));
        let (one, other) = (self.short(&first.path), self.short(&second.path));
        Err(self.problem(
            at,
            format!(
                "the folders `{one}` and `{other}` hold folders of the same names, so they may be data sets or classes; write \
                 `--splits {set}` for one of the data sets, `--splits {classes}` for the classes"
            ),
        ))
    }
}
