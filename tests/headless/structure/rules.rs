//! The rules that the files of a crate keep, each as a function that returns one sentence for every breach.

use std::collections::{BTreeMap, BTreeSet};

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemFn, TraitItemFn};

use super::circles::{Arrows, components, way_round};
use super::modules::{Crate, File, Sources, attributes, for_tests};
use super::paths::{Foreign, Named};
use super::table::{Kept, Room};

/// Most lines of a file.
pub(super) const MOST_LINES: usize = 500;
/// Most lines of a function, from `fn` to the closing brace.
pub(super) const MOST_LINES_OF_FUNCTION: usize = 80;
/// Most files directly in a folder.
pub(super) const MOST_FILES: usize = 15;

/// Whether the place `place` in the module tree is the room `room` or lies below it.
pub(super) fn is_within(place: &str, room: &str) -> bool {
    place
        .strip_prefix(room)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The line of the table that governs a place: of all lines for the place or a folder around it, the one with the
/// longest name.
fn room_of<'a>(rooms: &'a [Room], place: &str) -> Option<&'a Room> {
    let around = rooms.iter().filter(|room| is_within(place, room.name));
    around.max_by_key(|room| room.name.len())
}

/// Whether the table has lines for places below `name`.
fn is_house(rooms: &[Room], name: &str) -> bool {
    rooms
        .iter()
        .any(|room| room.name != name && is_within(room.name, name))
}

/// Imports that the table does not allow. Of the imports of one file from one other room, only the first is reported.
pub(super) fn forbidden_imports(all: &Crate, named: &Named, rooms: &[Room]) -> Vec<String> {
    let mut breaches = BTreeMap::new();
    for arrow in &named.arrows {
        let (from, to) = (&all.files[arrow.from], &all.files[arrow.to]);
        let Some(room) = room_of(rooms, &from.place) else {
            continue;
        };
        let other = room_of(rooms, &to.place).map_or(to.place.as_str(), |other| other.name);
        let is_allowed = room.may.iter().any(|may| {
            // A module that a path only passes may also lie above an allowed place.
            is_within(&to.place, may) || arrow.is_passed && is_within(may, &to.place)
        });
        let is_around = arrow.is_passed && (is_within(room.name, &to.place) || to.place == "lib");
        if other == room.name || is_allowed || is_around {
            continue;
        }
        let sentence = format!(
            "src/{}:{} imports {} (`{}`): {} knows no {other}",
            from.path, arrow.line, to.place, arrow.path, room.name,
        );
        // An arrow to an imported item is more informative than one to a module on the way.
        let this = (arrow.line, arrow.is_passed, sentence);
        let first = breaches
            .entry((arrow.from, other))
            .or_insert_with(|| this.clone());
        if this < *first {
            *first = this;
        }
    }
    let sentences = breaches.into_values().map(|(_, _, sentence)| sentence);
    sentences.collect()
}

/// Permissions of the table of which no file makes use. Rooms with the same list of permissions are judged together.
pub(super) fn unused_permissions(all: &Crate, named: &Named, rooms: &[Room]) -> Vec<String> {
    let mut unused: BTreeSet<_> = rooms
        .iter()
        .flat_map(|room| room.may.iter().map(|may| (room.may, *may)))
        .collect();
    // An arrow to a face that a path only passes counts as well, since that face has to be allowed.
    for arrow in &named.arrows {
        if let Some(room) = room_of(rooms, &all.files[arrow.from].place) {
            let to = &all.files[arrow.to].place;
            unused.retain(|(list, may)| *list != room.may || !is_within(to, may));
        }
    }
    let sentence = |(list, may)| {
        let rooms = rooms.iter().filter(|room| room.may == list);
        let names: Vec<_> = rooms.map(|room| room.name).collect();
        format!(
            "{} may import {may}, which no file there does",
            names.join(", ")
        )
    };
    unused.into_iter().map(sentence).collect()
}

/// Contradictions in the table: rooms that may import each other, directly or through other rooms.
pub(super) fn circles_of_rooms(rooms: &[Room]) -> Vec<String> {
    let mut arrows = Arrows::new();
    for (from, room) in rooms.iter().enumerate() {
        let to = rooms.iter().enumerate().filter(|(other, to)| {
            *other != from && room.may.iter().any(|may| is_within(to.name, may))
        });
        arrows.insert(from, to.map(|(other, _)| other).collect());
    }
    let round = |component: &Vec<usize>| {
        let way = way_round(&arrows, component);
        let names: Vec<_> = way.iter().map(|room| rooms[*room].name).collect();
        format!("{} → {}", names.join(" → "), names[0])
    };
    components(&arrows).iter().map(round).collect()
}

/// Files that import each other in a circle: one message for each connected set of files, with its shortest circle.
pub(super) fn circles_of_files(all: &Crate, named: &Named) -> Vec<String> {
    let mut arrows = Arrows::new();
    for arrow in named.arrows.iter().filter(|arrow| !arrow.is_passed) {
        arrows.entry(arrow.from).or_default().insert(arrow.to);
    }
    let round = |component: &Vec<usize>| {
        let way = way_round(&arrows, component);
        let mut lines = vec![format!("{} files in a circle:", component.len())];
        for (i, from) in way.iter().enumerate() {
            let to = way[(i + 1) % way.len()];
            let arrow = named
                .arrows
                .iter()
                .find(|arrow| !arrow.is_passed && (arrow.from, arrow.to) == (*from, to));
            if let Some(arrow) = arrow {
                lines.push(format!(
                    "  src/{}:{} names `{}` of src/{}",
                    all.files[*from].path, arrow.line, arrow.path, all.files[to].path
                ));
            }
        }
        let others: Vec<_> = component
            .iter()
            .filter(|file| !way.contains(file))
            .collect();
        if !others.is_empty() {
            let names: Vec<_> = others
                .iter()
                .map(|f| all.files[**f].path.as_str())
                .collect();
            lines.push(format!("  and with them: {}", names.join(", ")));
        }
        lines.join("\n")
    };
    components(&arrows).iter().map(round).collect()
}

/// Places without a line in the table, and lines of the table without a place.
pub(super) fn unknown_rooms(all: &Crate, rooms: &[Room]) -> Vec<String> {
    let mut breaches = BTreeSet::new();
    let mut places = BTreeSet::new();
    for file in &all.files {
        places.insert(file.place.as_str());
        if file.is_test || file.place == "lib" {
            continue;
        }
        match room_of(rooms, &file.place) {
            None => {
                breaches.insert(format!("src/{} is in no room of the table", file.path));
            }
            Some(room) if room.name != file.place && is_house(rooms, room.name) => {
                breaches.insert(format!(
                    "src/{} has no line of its own in the table, as everything below {} must",
                    file.path, room.name
                ));
            }
            Some(_) => {}
        }
    }
    for place in rooms
        .iter()
        .flat_map(|room| std::iter::once(&room.name).chain(room.may))
    {
        if !places.contains(place) {
            breaches.insert(format!("the table names {place}, which is not in src"));
        }
    }
    breaches.into_iter().collect()
}

/// Files that no `mod` line reaches, which the compiler therefore ignores.
pub(super) fn unreached_files(all: &Crate, sources: &Sources) -> Vec<String> {
    let reached: BTreeSet<_> = all.files.iter().map(|file| file.path.as_str()).collect();
    let unreached = sources
        .keys()
        .filter(|path| !reached.contains(path.as_str()));
    let sentence = |path| format!("src/{path} is declared by no `mod` line");
    unreached.map(sentence).collect()
}

/// Paths into other crates outside the rooms to which these paths are restricted; the first of each file and rule.
pub(super) fn misplaced_crates(all: &Crate, named: &Named, kept: &[Kept]) -> Vec<String> {
    let mut breaches = BTreeMap::new();
    for foreign in &named.foreign {
        let file = &all.files[foreign.from];
        for rule in kept {
            let is_meant = rule.within.is_empty() || is_within(&file.place, rule.within);
            let is_allowed = rule.to.iter().any(|room| is_within(&file.place, room));
            if is_meant && !is_allowed && names(foreign, rule.path) {
                breaches.entry((foreign.from, rule.path)).or_insert(format!(
                    "src/{}:{} names `{}`: only {} may, so that {}",
                    file.path,
                    foreign.line,
                    foreign.path.join("::"),
                    rule.to.join(", "),
                    rule.reason
                ));
            }
        }
    }
    breaches.into_values().collect()
}

/// Whether a path into another crate is `wanted`, or leads below it.
fn names(foreign: &Foreign, wanted: &str) -> bool {
    // The crate `eframe` re-exports the whole of `egui`.
    let path = match foreign.path.as_slice() {
        [first, rest @ ..] if first == "eframe" && rest.first().is_some_and(|x| x == "egui") => {
            rest
        }
        path => path,
    };
    let mut path = path.iter().map(String::as_str);
    wanted.split("::").all(|wanted| match path.next() {
        Some("*") => true,
        Some(name) => match wanted.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == wanted,
        },
        None => false,
    })
}

/// Files that are too long to be read in one sitting.
pub(super) fn long_files(all: &Crate) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in all.files.iter().filter(|file| !file.is_test) {
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            breaches.push(format!("src/{} has {lines} lines", file.path));
        }
    }
    breaches
}

/// Folders with too many files directly in them, or whose `mod.rs` does not say what they are for. A folder that holds
/// tests alone needs no `mod.rs`.
pub(super) fn folders(all: &Crate, sources: &Sources) -> Vec<String> {
    let folder_of = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let mut flat: BTreeMap<String, usize> = BTreeMap::new();
    for path in sources.keys() {
        *flat.entry(folder_of(path).unwrap_or_default()).or_default() += 1;
    }
    let crowded = flat.iter().filter(|(_, count)| **count > MOST_FILES);
    let mut breaches: Vec<_> = crowded
        .map(|(folder, count)| format!("src/{folder} holds {count} files that lie flat"))
        .collect();

    let code = all.files.iter().filter(|file| !file.is_test);
    let above =
        |file: &File| std::iter::successors(folder_of(&file.path), |inner| folder_of(inner));
    let folders: BTreeSet<_> = code.flat_map(above).collect();
    for folder in folders {
        let face = format!("{folder}/mod.rs");
        let text = sources.get(&face);
        if !text.is_some_and(|text| text.starts_with("//!")) {
            breaches.push(format!(
                "src/{face} does not open with `//!` and what the folder is for"
            ));
        }
    }
    breaches
}

/// Functions that do not fit on a screen, except those that give a reason.
pub(super) fn long_functions(all: &Crate) -> Vec<String> {
    let mut breaches = Vec::new();
    for module in &all.modules {
        let file = &all.files[module.file];
        if file.is_test {
            continue;
        }
        let mut lengths = Lengths { found: Vec::new() };
        for item in &module.items {
            lengths.visit_item(item);
        }
        for (name, line, lines) in lengths.found {
            breaches.push(format!(
                "src/{}:{line} `{name}` has {lines} lines: split it, or say why not in \
                 #[allow(clippy::too_many_lines, reason = \"…\")]",
                file.path
            ));
        }
    }
    breaches
}

/// The functions above the limit: name, first line, number of lines.
struct Lengths {
    found: Vec<(String, usize, usize)>,
}

impl Lengths {
    fn measure(&mut self, attributes: &[Attribute], signature: &syn::Signature, end: usize) {
        let line = signature.fn_token.span().start().line;
        let lines = end + 1 - line;
        if lines > MOST_LINES_OF_FUNCTION && !attributes.iter().any(gives_reason) {
            self.found.push((signature.ident.to_string(), line, lines));
        }
    }
}

/// Whether an attribute allows a long function and says why.
fn gives_reason(attribute: &Attribute) -> bool {
    let path = attribute.path();
    let text = match &attribute.meta {
        syn::Meta::List(list) => list.tokens.to_string(),
        _ => String::new(),
    };
    (path.is_ident("expect") || path.is_ident("allow"))
        && text.contains("too_many_lines")
        && text.contains("reason")
}

impl<'ast> Visit<'ast> for Lengths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        let end = function.block.brace_token.span.close().end().line;
        self.measure(&function.attrs, &function.sig, end);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if for_tests(&function.attrs) {
            return;
        }
        let end = function.block.brace_token.span.close().end().line;
        self.measure(&function.attrs, &function.sig, end);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            let end = block.brace_token.span.close().end().line;
            self.measure(&function.attrs, &function.sig, end);
        }
        visit::visit_trait_item_fn(self, function);
    }
}
