//! Synthetic module trees that are made to mislead the reader of paths and the rules, each with the arrows or breaches
//! that must be found.

use anyhow::Result;

use super::modules::{Crate, Sources};
use super::paths::{self, Named};
use super::rules;
use super::table::{Kept, Room};

fn sources(files: &[(&str, &str)]) -> Sources {
    let owned = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    owned.collect()
}

fn read(files: &[(&str, &str)]) -> Result<(Crate, Named)> {
    let all = Crate::parse(&sources(files))?;
    let named = paths::named(&all);
    Ok((all, named))
}

/// A crate of `figure` (with `kit` and `page`) and `run` (with `log`), in which figure/kit.rs has the content `text`.
fn kit_with(text: &str) -> Vec<(&str, &str)> {
    vec![
        ("lib.rs", "mod figure; mod run; #[macro_use] mod told;"),
        (
            "figure/mod.rs",
            "mod kit; mod page; pub(crate) use crate::run::Run as Shown;",
        ),
        ("figure/kit.rs", text),
        (
            "figure/page.rs",
            "pub(crate) struct Page; pub(crate) fn page() {}",
        ),
        (
            "run/mod.rs",
            "pub(crate) mod log; pub(crate) struct Run; pub(crate) use log::load;",
        ),
        (
            "run/log.rs",
            "pub(crate) fn load() {} pub(crate) const LEN: usize = 1;",
        ),
        ("told.rs", "macro_rules! told { () => {} }"),
    ]
}

/// The files, without their endings, that figure/kit.rs names when its content is `text`.
fn named_by_kit(text: &str) -> Result<Vec<String>> {
    let (all, named) = read(&kit_with(text))?;
    let mut places: Vec<_> = named
        .arrows
        .iter()
        .filter(|arrow| !arrow.is_passed && all.files[arrow.from].place == "figure/kit")
        .map(|arrow| all.files[arrow.to].place.clone())
        .collect();
    places.sort();
    places.dedup();
    Ok(places)
}

/// The paths into other crates that figure/kit.rs names when its content is `text`.
fn foreign_of_kit(text: &str) -> Result<Vec<String>> {
    let (all, named) = read(&kit_with(text))?;
    let of_kit = named
        .foreign
        .iter()
        .filter(|foreign| all.files[foreign.from].place == "figure/kit");
    Ok(of_kit.map(|foreign| foreign.path.join("::")).collect())
}

#[track_caller]
fn assert_named(text: &str, wanted: &[&str]) {
    let found = named_by_kit(text).expect(text);
    assert_eq!(found, wanted, "in: {text}");
}

#[test]
fn every_form_of_use_is_an_arrow() {
    assert_named("use crate::run::Run;", &["run"]);
    assert_named(
        "use crate::{run::{Run, log::{self, LEN}}, figure::page::Page};",
        &["figure/page", "run", "run/log"],
    );
    assert_named("use super::super::run::Run;", &["run"]);
    assert_named("use super::{super::run::{Run as Walk}};", &["run"]);
    assert_named("use self::super::page::Page;", &["figure/page"]);
    assert_named("use super::page::*;", &["figure/page"]);
    assert_named("use crate::run::Run as _;", &["run"]);
    assert_named("pub(crate) use crate::run::Run;", &["run"]);
    assert_named("fn f() { if true { use crate::run::Run; } }", &["run"]);
    assert_named(
        "mod inside { use super::super::page::Page; }",
        &["figure/page"],
    );
}

#[test]
fn every_path_in_code_is_an_arrow() {
    assert_named("fn f() { crate::run::log::load() }", &["run/log"]);
    assert_named("fn f() { super::super::run::log::load() }", &["run/log"]);
    assert_named("fn f(run: &super::super::run::Run) {}", &["run"]);
    assert_named("struct S { run: Option<Vec<crate::run::Run>> }", &["run"]);
    assert_named("impl Iterator for crate::run::Run { }", &["run"]);
    assert_named(
        "fn f() { let n = [0; crate::run::log::LEN]; }",
        &["run/log"],
    );
    assert_named(
        "fn f(x: usize) { match x { super::super::run::log::LEN => {} _ => {} } }",
        &["run/log"],
    );
    assert_named(
        "fn f() { let g = <crate::run::Run as Clone>::clone; }",
        &["run"],
    );
    assert_named(
        "fn f() { [1].iter().collect::<Vec<crate::run::Run>>(); }",
        &["run"],
    );
    assert_named(
        "mod inside { fn f() { super::super::page::page() } }",
        &["figure/page"],
    );
}

#[test]
fn names_imported_by_use_are_followed() {
    // An imported module makes an arrow to the items that are used through it, not to the module's own file.
    assert_named("use crate::run; fn f() { run::log::load() }", &["run/log"]);
    assert_named(
        "use crate::run as walk; fn f() { walk::log::load() }",
        &["run/log"],
    );
    assert_named(
        "use super::super::run::log as l; fn f() { l::load() }",
        &["run/log"],
    );
    assert_named(
        "use super::*; fn f() { page::page() }",
        &["figure", "figure/page"],
    );
    assert_named(
        "fn f() { use crate::run as r; r::log::load() }",
        &["run/log"],
    );
    assert_named(
        "use crate as all; fn f() { all::run::log::load() }",
        &["run/log"],
    );
}

#[test]
fn a_reexport_leads_to_the_file_that_defines() {
    assert_named("use crate::run::load;", &["run/log"]);
    assert_named("use super::Shown;", &["run"]);
    assert_named("fn f(run: super::Shown) {}", &["run"]);
    assert_named("use super::*; fn f(run: Shown) {}", &["figure", "run"]);
}

#[test]
fn paths_inside_macros_and_attributes_are_arrows() {
    assert_named(
        r#"fn f() { println!("{}", crate::run::log::LEN) }"#,
        &["run/log"],
    );
    assert_named(
        "fn f() { vec![(super::super::run::log::load)(), 1] }",
        &["run/log"],
    );
    assert_named(
        "fn f() { assert!(matches!(1, crate::run::log::LEN)) }",
        &["run/log"],
    );
    assert_named(
        "use crate::run; fn f() { vec![0..run::log::LEN] }",
        &["run/log"],
    );
    assert_named(
        "macro_rules! m { () => { $crate::run::log::load() } }",
        &["run/log"],
    );
    assert_named(
        "macro_rules! m { () => { use crate::run::{log::LEN, Run}; } }",
        &["run", "run/log"],
    );
    assert_named(
        r#"#[serde(default = "crate::run::log::load")] struct S;"#,
        &["run/log"],
    );
    assert_named("#[derive(crate::run::Run)] struct S;", &["run"]);
}

#[test]
fn code_for_tests_makes_no_arrows() {
    assert_named("#[cfg(test)] use crate::run::Run;", &[]);
    assert_named(
        "#[cfg(all(test, unix))] mod tests { use crate::run::Run; }",
        &[],
    );
    assert_named("#[test] fn t() { crate::run::log::load() }", &[]);
    assert_named(
        "struct S; impl S { #[cfg(test)] fn f() { crate::run::log::load() } }",
        &[],
    );
    assert_named("fn f() { #[cfg(test)] crate::run::log::load(); }", &[]);
    assert_named("fn f() { #[cfg(test)] let n = crate::run::log::LEN; }", &[]);
    // Code under these conditions is also compiled outside of tests.
    assert_named("#[cfg(any(test, unix))] use crate::run::Run;", &["run"]);
    assert_named("#[cfg(not(test))] use crate::run::Run;", &["run"]);
}

#[test]
fn text_that_only_resembles_a_path_makes_no_arrow() {
    assert_named(
        "// use crate::run::Run;\n/// [`crate::run::Run`]\nstruct S;",
        &[],
    );
    assert_named(r#"const TEXT: &str = "crate::run::Run";"#, &[]);
    assert_named("pub(in crate::figure) struct S;", &[]);
    assert_named("struct S { run: u8 } fn f(s: S) -> u8 { s.run }", &[]);
    assert_named("fn f(page: u8) { println!(\"{}\", page) }", &[]);
    assert_named(
        "use run::log::load; mod run { pub(super) mod log { pub(crate) fn load() {} } }",
        &[],
    );
}

#[test]
fn a_variable_hides_an_item_of_its_name() {
    assert_named("use super::page::*; fn f() { page() }", &["figure/page"]);
    let (all, named) = read(&[
        (
            "lib.rs",
            "mod a; pub(crate) use a::len; fn f(len: u8) -> u8 { len }",
        ),
        ("a.rs", "pub(crate) fn len() {}"),
    ])
    .unwrap();
    assert!(named.arrows.is_empty() && all.files.len() == 2);
}

#[test]
fn a_face_that_hands_names_on_has_no_arrows() -> Result<()> {
    let files = |code| {
        [
            ("lib.rs", "mod face;"),
            ("face/mod.rs", code),
            (
                "face/part.rs",
                "use super::Whole; pub(crate) struct Part(Whole);",
            ),
            ("face/whole.rs", "pub(crate) struct Whole;"),
        ]
    };
    let circles = |code| -> Result<usize> {
        let (all, named) = read(&files(code))?;
        Ok(rules::circles_of_files(&all, &named).len())
    };
    let handed_on = "mod part; mod whole; pub(crate) use {part::Part, whole::Whole};";
    assert_eq!(circles(handed_on)?, 0);
    // The part uses code of the face itself, and this code names the part.
    let own = "mod part; mod whole; pub(crate) use part::Part; pub(crate) struct Whole; fn f(part: Part) {}";
    assert_eq!(circles(own)?, 1);
    let private = "mod part; mod whole; use part::Part; pub(crate) struct Whole;";
    assert_eq!(circles(private)?, 1);
    let inline = "mod part; mod whole; pub(crate) struct Whole; fn f() { part::Part; }";
    assert_eq!(circles(inline)?, 1);
    Ok(())
}

#[test]
fn other_crates_are_seen_under_any_name() -> Result<()> {
    let of = |text: &str| foreign_of_kit(text);
    assert_eq!(of("use egui::Ui;")?, ["egui::Ui"]);
    assert_eq!(
        of("use egui as e; fn f(ui: &e::Ui) {}")?,
        ["egui", "egui::Ui"]
    );
    assert_eq!(
        of("use ::egui::{self as e}; fn f(ui: &e::Ui) {}")?,
        ["egui", "egui::Ui"]
    );
    assert_eq!(
        of("extern crate egui as e; fn f(ui: &e::Ui) {}")?,
        ["egui", "egui::Ui"]
    );
    assert_eq!(
        of("use egui; fn f(ui: &egui::Ui) {}")?,
        ["egui", "egui::Ui"]
    );
    assert_eq!(
        of("fn f() { vec![::std::thread::spawn(g)] }")?,
        ["std::thread::spawn"]
    );
    // A function may bear the name of the crate that it calls.
    assert_eq!(of("fn trash() { trash::delete() }")?, ["trash::delete"]);
    Ok(())
}

#[test]
fn crates_are_kept_to_their_rooms() -> Result<()> {
    let kept = |path, within, to| {
        [Kept {
            path,
            within,
            to,
            reason: "order reigns",
        }]
    };
    let breaches = |text: &str, kept: &[Kept]| -> Result<Vec<String>> {
        let (all, named) = read(&kit_with(text))?;
        Ok(rules::misplaced_crates(&all, &named, kept))
    };
    let threads = kept("std::thread", "", &["run"]);
    assert_eq!(
        breaches("\nuse std::{fs, thread};", &threads)?,
        ["src/figure/kit.rs:2 names `std::thread`: only run may, so that order reigns"]
    );
    assert_eq!(breaches("use std::*;", &threads)?.len(), 1);
    assert_eq!(breaches("use std::thread_local;", &threads)?.len(), 0);
    assert_eq!(
        breaches("use std::thread;", &kept("std::thread", "run", &[]))?.len(),
        0
    );
    assert_eq!(
        breaches("use std::thread;", &kept("std::thread", "", &["figure"]))?.len(),
        0
    );
    assert_eq!(
        breaches("use candle_nn::ops;", &kept("candle_*", "", &[]))?.len(),
        1
    );
    assert_eq!(
        breaches("use eframe::egui::Ui;", &kept("egui::Ui", "", &[]))?.len(),
        1
    );
    Ok(())
}

const ROOMS: [Room; 4] = [
    Room {
        name: "run",
        is_for: "",
        may: &[],
    },
    Room {
        name: "figure",
        is_for: "",
        may: &[],
    },
    Room {
        name: "figure/kit",
        is_for: "",
        may: &["told"],
    },
    Room {
        name: "told",
        is_for: "",
        may: &[],
    },
];

#[test]
fn a_forbidden_import_names_file_line_and_rule() -> Result<()> {
    let breaches = |text: &str| -> Result<Vec<String>> {
        let (all, named) = read(&kit_with(text))?;
        let mut breaches = rules::forbidden_imports(&all, &named, &ROOMS);
        breaches.retain(|breach| breach.starts_with("src/figure/kit.rs"));
        Ok(breaches)
    };
    assert_eq!(
        breaches("\n\nuse super::super::run::{\n    log::load,\n};")?,
        [
            "src/figure/kit.rs:4 imports run/log (`super::super::run::log::load`): figure/kit knows no run"
        ]
    );
    assert_eq!(breaches("use crate::told::Nothing;")?, [""; 0]);
    // A room that is reached through the face of another room.
    assert_eq!(breaches("use super::Shown;")?.len(), 1);
    // A module that is imported but not used.
    assert_eq!(breaches("use crate::run;")?.len(), 1);
    Ok(())
}

#[test]
fn a_path_through_a_forbidden_face_is_forbidden() -> Result<()> {
    let (all, named) = read(&[
        ("lib.rs", "mod told; mod run; mod figure;"),
        ("told.rs", "pub(crate) struct Told;"),
        ("run.rs", "pub(crate) use crate::told::Told;"),
        ("figure/mod.rs", "mod kit;"),
        ("figure/kit.rs", "use crate::run::Told;"),
    ])?;
    let breaches = rules::forbidden_imports(&all, &named, &ROOMS);
    assert_eq!(
        breaches[1..],
        ["src/figure/kit.rs:1 imports run (`crate::run::Told`): figure/kit knows no run"]
    );
    Ok(())
}

#[test]
fn every_place_has_a_line_in_the_table_and_every_line_a_place() -> Result<()> {
    let (all, _) = read(&kit_with(""))?;
    assert_eq!(
        rules::unknown_rooms(&all, &ROOMS),
        ["src/figure/page.rs has no line of its own in the table, as everything below figure must"]
    );
    assert_eq!(rules::unknown_rooms(&all, &ROOMS[1..]).len(), 3);
    let more = [Room {
        name: "figure/gone",
        is_for: "",
        may: &["nowhere"],
    }];
    assert_eq!(
        rules::unknown_rooms(&all, &more)[..2],
        [
            "src/figure/kit.rs is in no room of the table",
            "src/figure/mod.rs is in no room of the table"
        ]
    );
    let named = rules::unknown_rooms(&all, &more);
    assert!(named.contains(&"the table names figure/gone, which is not in src".to_owned()));
    assert!(named.contains(&"the table names nowhere, which is not in src".to_owned()));
    Ok(())
}

#[test]
fn a_permission_that_is_not_needed_is_found() -> Result<()> {
    let (all, named) = read(&kit_with("use crate::told::Nothing;"))?;
    assert_eq!(rules::unused_permissions(&all, &named, &ROOMS), [""; 0]);
    let (all, named) = read(&kit_with("use crate::run;"))?;
    assert_eq!(
        rules::unused_permissions(&all, &named, &ROOMS),
        ["figure/kit may import told, which no file there does"]
    );
    Ok(())
}

#[test]
fn rooms_that_may_import_each_other_are_a_circle_of_the_table() {
    let rooms = [
        Room {
            name: "a",
            is_for: "",
            may: &["b"],
        },
        Room {
            name: "b",
            is_for: "",
            may: &["c/d"],
        },
        Room {
            name: "c/d",
            is_for: "",
            may: &["a"],
        },
    ];
    assert_eq!(rules::circles_of_rooms(&rooms), ["a → b → c/d → a"]);
    assert!(rules::circles_of_rooms(&rooms[..2]).is_empty());
}

#[test]
fn a_circle_of_files_is_told_with_the_shortest_way_round() -> Result<()> {
    let (all, named) = read(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "pub(crate) struct A; use crate::b::B;"),
        ("b.rs", "pub(crate) struct B; use super::c::C;"),
        (
            "c.rs",
            "pub(crate) struct C;\nfn f() { vec![crate::a::A]; }\nuse crate::d::D;",
        ),
        ("d.rs", "pub(crate) struct D; use crate::a::A;"),
    ])?;
    assert_eq!(
        rules::circles_of_files(&all, &named),
        ["4 files in a circle:\n\
         \x20 src/a.rs:1 names `crate::b::B` of src/b.rs\n\
         \x20 src/b.rs:1 names `super::c::C` of src/c.rs\n\
         \x20 src/c.rs:2 names `crate::a::A` of src/a.rs\n\
         \x20 and with them: d.rs"]
    );
    Ok(())
}

#[test]
fn files_for_tests_are_known_by_their_declaration() -> Result<()> {
    let (all, named) = read(&[
        ("lib.rs", "mod a; #[cfg(test)] mod samples;"),
        ("a.rs", "#[cfg(test)] mod tests; mod b;"),
        ("a/b.rs", ""),
        ("a/tests.rs", "mod more; use crate::a::X;"),
        ("a/tests/more.rs", "use crate::samples::X;"),
        ("samples.rs", "use crate::a::X;"),
        ("main.rs", "fn main() { crosscurrent::a::b::run() }"),
    ])?;
    let tests: Vec<_> = all.files.iter().filter(|file| file.is_test).collect();
    let tests: Vec<_> = tests.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(tests, ["a/tests.rs", "a/tests/more.rs", "samples.rs"]);
    let arrow = named.arrows.iter().find(|arrow| !arrow.is_passed);
    let arrow = arrow.map(|arrow| {
        (
            all.files[arrow.from].path.as_str(),
            all.files[arrow.to].path.as_str(),
        )
    });
    assert_eq!(arrow, Some(("main.rs", "a/b.rs")));
    Ok(())
}

#[test]
fn a_file_that_nothing_declares_is_found() -> Result<()> {
    let files = sources(&[("lib.rs", "mod a;"), ("a.rs", ""), ("b.rs", "")]);
    let all = Crate::parse(&files)?;
    assert_eq!(
        rules::unreached_files(&all, &files),
        ["src/b.rs is declared by no `mod` line"]
    );
    assert!(
        Crate::parse(&sources(&[
            ("lib.rs", "#[path = \"b.rs\"] mod a;"),
            ("b.rs", "")
        ]))
        .is_err()
    );
    Ok(())
}

#[test]
fn folders_say_what_they_are_for_and_are_not_crowded() -> Result<()> {
    let names: Vec<_> = (0..15).map(|i| format!("part{i}")).collect();
    let declared: String = names.iter().map(|name| format!("mod {name};")).collect();
    let silent = format!("// Parts.\n{declared}");
    let mut files = sources(&[("lib.rs", "mod a;"), ("a/mod.rs", &silent)]);
    for name in &names {
        files.insert(format!("a/{name}.rs"), String::new());
    }
    assert_eq!(
        rules::folders(&Crate::parse(&files)?, &files),
        [
            "src/a holds 16 files that lie flat",
            "src/a/mod.rs does not open with `//!` and what the folder is for"
        ]
    );
    // Three kinds of folder: one with its file beside it, one of folders, and one with tests alone.
    let files = sources(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "//! Parts.\nmod inner;"),
        ("a/inner/mod.rs", "//! Parts of parts."),
        ("b.rs", "#[cfg(test)] mod tests;"),
        ("b/tests.rs", ""),
    ]);
    assert_eq!(
        rules::folders(&Crate::parse(&files)?, &files),
        ["src/a/mod.rs does not open with `//!` and what the folder is for"]
    );
    Ok(())
}

#[test]
fn files_and_functions_are_measured() -> Result<()> {
    let body = "    f();\n".repeat(79);
    let long = |attributes: &str| format!("{attributes}\nfn f() {{\n{body}}}\n");
    let breaches = |text: &str| -> Result<Vec<String>> {
        Ok(rules::long_functions(&read(&[("lib.rs", text)])?.0))
    };
    let found = breaches(&long(""))?;
    assert!(
        found.len() == 1 && found[0].starts_with("src/lib.rs:2 `f` has 81 lines"),
        "{found:?}"
    );
    let shorter = long("").replacen("    f();\n", "", 1);
    assert_eq!(breaches(&shorter)?, [""; 0]);
    assert_eq!(breaches(&format!("impl S {{ {} }}", long("")))?.len(), 1);
    assert_eq!(breaches(&format!("mod m {{ {} }}", long("")))?.len(), 1);
    assert_eq!(breaches(&long("#[cfg(test)]"))?, [""; 0]);
    assert_eq!(
        breaches(&long(
            "#[expect(clippy::too_many_lines, reason = \"a list\")]"
        ))?,
        [""; 0]
    );
    assert_eq!(
        breaches(&long("#[expect(clippy::too_many_lines)]"))?.len(),
        1
    );

    let all = read(&[("lib.rs", &"\n".repeat(501))])?.0;
    assert_eq!(rules::long_files(&all), ["src/lib.rs has 501 lines"]);
    assert_eq!(
        rules::long_files(&read(&[("lib.rs", &"\n".repeat(500))])?.0),
        [""; 0]
    );
    Ok(())
}
