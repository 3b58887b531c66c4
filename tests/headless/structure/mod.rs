//! Tests of the structure of the crate: which part imports which, that there are no circles, and that no file, function
//! or folder is too large.
//!
//! [`modules`] reads the module tree, and [`paths`] follows every path of every file to the file that defines its
//! target. [`rules`] finds breaches of the rules, by the [`table`] of rooms. [`made_up`] tests these modules.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "syn and proc-macro2 may add to their enums"
)]

mod circles;
mod document;
mod made_up;
mod modules;
mod paths;
mod rules;
mod table;

use std::path::Path;

use anyhow::Result;

use modules::{Crate, Sources};
use table::{KEPT, ROOMS};

fn source() -> Result<(Sources, Crate)> {
    let sources = modules::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))?;
    let all = Crate::parse(&sources)?;
    Ok((sources, all))
}

#[track_caller]
fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn each_room_imports_only_what_it_may() -> Result<()> {
    let (_, all) = source()?;
    assert_none(&rules::forbidden_imports(&all, &paths::named(&all), ROOMS));
    Ok(())
}

#[test]
fn no_files_import_each_other_in_a_circle() -> Result<()> {
    let (_, all) = source()?;
    assert_none(&rules::circles_of_files(&all, &paths::named(&all)));
    Ok(())
}

#[test]
fn every_folder_of_src_is_in_the_table() -> Result<()> {
    let (_, all) = source()?;
    assert_none(&rules::unknown_rooms(&all, ROOMS));
    Ok(())
}

#[test]
fn the_table_allows_nothing_that_is_not_needed() -> Result<()> {
    let (_, all) = source()?;
    assert_none(&rules::unused_permissions(&all, &paths::named(&all), ROOMS));
    Ok(())
}

#[test]
fn no_rooms_may_import_each_other() {
    assert_none(&rules::circles_of_rooms(ROOMS));
}

#[test]
fn other_crates_stay_in_their_rooms() -> Result<()> {
    let (_, all) = source()?;
    assert_none(&rules::misplaced_crates(&all, &paths::named(&all), KEPT));
    Ok(())
}

#[test]
fn every_file_of_src_is_part_of_the_crate() -> Result<()> {
    let (sources, all) = source()?;
    assert_none(&rules::unreached_files(&all, &sources));
    Ok(())
}

#[test]
fn every_file_can_be_read_in_one_sitting() -> Result<()> {
    let (_, all) = source()?;
    assert_none(&rules::long_files(&all));
    Ok(())
}

#[test]
fn every_function_fits_on_a_screen_or_says_why_not() -> Result<()> {
    let (_, all) = source()?;
    assert_none(&rules::long_functions(&all));
    Ok(())
}

#[test]
fn every_folder_says_what_it_is_for_and_holds_few_files() -> Result<()> {
    let (sources, all) = source()?;
    assert_none(&rules::folders(&all, &sources));
    Ok(())
}

/// The command `UPDATE_SNAPSHOTS=1 cargo test --test headless architecture` writes the document anew.
#[test]
fn the_document_of_the_architecture_has_this_table_and_the_picture_of_the_crate() -> Result<()> {
    let (sources, _) = source()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs/architecture.md");
    let text = std::fs::read_to_string(&path)?;
    let wanted = document::filled(&text, "picture", &document::picture(&sources["lib.rs"])?)?;
    let wanted = document::filled(&wanted, "table", &document::table(ROOMS))?;
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, wanted)?;
    } else {
        assert!(
            text == wanted,
            "assets/docs/architecture.md is out of date; UPDATE_SNAPSHOTS=1 cargo test --test headless \
             architecture writes it anew"
        );
    }
    Ok(())
}
