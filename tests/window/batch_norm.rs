//! The switch between class gradients with batch norm as in training and frozen.

use anyhow::{Result, ensure};
use crosscurrent::config::Attention;
use crosscurrent::run::BatchNorm;
use crosscurrent::ui::{Options, Page};
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;

use super::{SHORT, Window, click, has, press, settle, summary, window};
use crate::constructed::Constructed;

/// A window on constructed runs, each with its name, its attention and whether it has both measures.
fn open(parent: &std::path::Path, runs: &[(&str, Attention, bool)]) -> Result<Window> {
    let mut dirs = Vec::new();
    for &(name, attention, has_training) in runs {
        let dir = parent.join(name);
        let run = Constructed {
            attention,
            has_training,
            ..SHORT
        };
        run.write(&dir, |_| false)?;
        dirs.push(dir);
    }
    Ok(window(Options {
        runs: dirs,
        ..Options::default()
    }))
}

fn show(window: &mut Window, page: Page) {
    window.state_mut().show(page);
    settle(window);
}

const LACKS: &str = "recorded only the frozen measure, so";

/// The switch is drawn with every page that shows class gradients and with no other; it is also in the list of
/// commands, under the terms of the field.
#[test]
fn one_switch_changes_all_figures_and_back() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = open(parent.path(), &[("run", Attention::None, true)])?;
    show(&mut window, Page::Conflicts);
    let training = summary(&window);
    ensure!(training.is_some() && !has(&window, LACKS));
    click(&mut window, "Batch norm frozen");
    let frozen = summary(&window);
    assert_ne!(training, frozen);
    assert_eq!(
        window.state_mut().figure_view().batch_norm,
        BatchNorm::Frozen
    );
    press(&mut window, Modifiers::COMMAND, Key::K);
    window
        .get_by_label("Search commands")
        .type_text("train mode batch norm");
    settle(&mut window);
    click(&mut window, "Batch norm: as in training");
    assert_eq!(summary(&window), training);
    // Going back in what was looked at goes back to the other measure.
    press(&mut window, Modifiers::ALT, Key::ArrowLeft);
    assert_eq!(summary(&window), frozen);
    for (page, is_there) in [
        (Page::Overview, true),
        (Page::Class, true),
        (Page::Mistakes, true),
        (Page::Gates, false),
        (Page::Data, false),
    ] {
        show(&mut window, page);
        let found = window.query_by_label("Batch norm frozen").is_some();
        assert_eq!(found, is_there, "{page:?}");
    }
    Ok(())
}

/// A run of format 1 beside another: both are frozen, and a line says so. Alone, the other is shown as chosen.
#[test]
fn runs_side_by_side_are_never_a_mix() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let runs = [
        ("new", Attention::None, true),
        ("old", Attention::Branch, false),
    ];
    let mut window = open(parent.path(), &runs)?;
    show(&mut window, Page::Conflicts);
    // Two runs that are opened together are shown side by side.
    press(&mut window, Modifiers::COMMAND, Key::D);
    let training = summary(&window);
    ensure!(!has(&window, LACKS), "the new run is alone");
    press(&mut window, Modifiers::COMMAND, Key::D);
    let sentence =
        "`old` recorded only the frozen measure, so all runs are shown with batch norm frozen.";
    ensure!(has(&window, sentence));
    let beside = summary(&window);
    assert_ne!(beside, training);
    press(&mut window, Modifiers::COMMAND, Key::D);
    assert_eq!(summary(&window), training);
    click(&mut window, "Batch norm frozen");
    assert_eq!(summary(&window), beside);
    Ok(())
}

#[test]
fn a_run_of_format_1_says_what_it_lacks() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = open(parent.path(), &[("old", Attention::None, false)])?;
    show(&mut window, Page::Conflicts);
    ensure!(has(
        &window,
        "`old` recorded only the frozen measure, so it is shown with batch norm frozen."
    ));
    // The difference is not offered for it.
    ensure!(!has(&window, "Matrix minus frozen"));
    click(&mut window, "Batch norm frozen");
    ensure!(!has(&window, LACKS));
    Ok(())
}

/// The third view of the conflict matrix, for one run and for two; it takes turns with the difference between runs.
#[test]
fn the_matrix_is_shown_minus_the_frozen_one() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let runs = [
        ("new", Attention::None, true),
        ("other", Attention::Branch, true),
    ];
    let mut window = open(parent.path(), &runs)?;
    show(&mut window, Page::Conflicts);
    click(&mut window, "Matrix minus frozen");
    ensure!(has(&window, "batch norm as in training minus frozen"));
    ensure!(has(&window, "Interference frozen "));
    ensure!(has(
        &window,
        "Export… Gradient Conflict Matrix, through batch norm, new"
    ));
    ensure!(has(
        &window,
        "Export… Gradient Conflict Matrix, through batch norm, other"
    ));
    // Both runs and their difference stand beside each other on this page.
    ensure!(!has(&window, "As difference") && has(&window, "Gradient Conflict Matrix, B − A"));
    show(&mut window, Page::Mistakes);
    click(&mut window, "As difference");
    ensure!(!has(&window, "minus frozen,") && !has(&window, "through batch statistics"));
    ensure!(has(&window, "Gradient Conflict Matrix, B − A"));
    show(&mut window, Page::Conflicts);
    click(&mut window, "Matrix minus frozen");
    ensure!(!window.state_mut().figure_view().difference);
    click(&mut window, "Batch norm frozen");
    ensure!(has(
        &window,
        "`new` is shown with batch norm frozen; the difference shows where"
    ));
    Ok(())
}

/// On the page Compare, all runs that take part agree; a run that does not take part has no say.
#[test]
fn groups_are_compared_in_one_measure() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let runs = [
        ("none", Attention::None, true),
        ("branch", Attention::Branch, true),
    ];
    let mut window = open(parent.path(), &runs)?;
    show(&mut window, Page::Compare);
    ensure!(has(
        &window,
        "test images, batch norm as in training, paired by seed"
    ));
    click(&mut window, "Batch norm frozen");
    ensure!(has(
        &window,
        "test images, batch norm frozen, paired by seed"
    ));
    let parent = tempfile::tempdir()?;
    let runs = [runs[0], runs[1], ("shared", Attention::Shared, false)];
    let mut window = open(parent.path(), &runs)?;
    show(&mut window, Page::Conflicts);
    ensure!(!has(&window, LACKS));
    show(&mut window, Page::Compare);
    ensure!(has(
        &window,
        "test images, batch norm frozen, paired by seed"
    ));
    ensure!(has(
        &window,
        "`shared` recorded only the frozen measure, so all runs"
    ));
    // The other page shows its runs as before.
    show(&mut window, Page::Conflicts);
    ensure!(!has(&window, LACKS));
    Ok(())
}

/// With more than twenty classes only twenty are measured as in training.
#[test]
fn classes_that_are_not_measured_are_said_to_be_so() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let dir = parent.path().join("many");
    let run = Constructed {
        classes: 40,
        ..SHORT
    };
    run.write(&dir, |_| false)?;
    let mut window = window(Options {
        runs: vec![dir],
        ..Options::default()
    });
    show(&mut window, Page::Conflicts);
    ensure!(has(&window, "20 of 40 classes measured"));
    click(&mut window, "Batch norm frozen");
    ensure!(!has(&window, "classes measured"));
    Ok(())
}
