//! One selection and one moment for all figures, chosen by pointer or by keyboard.

use anyhow::{Context as _, Result, ensure};
use crosscurrent::figure::Order;
use crosscurrent::ui::Page;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::{SHORT, Window, click, has, one_run, press, settle, two_runs, value, window};
use crate::constructed::Constructed;

fn open(page: Page) -> Result<(tempfile::TempDir, Window)> {
    let parent = tempfile::tempdir()?;
    let mut window = one_run(parent.path())?;
    window.state_mut().show(page);
    settle(&mut window);
    Ok((parent, window))
}

/// Like [`open`], for a given run.
fn open_run(run: &Constructed, page: Page) -> Result<(tempfile::TempDir, Window)> {
    let parent = tempfile::tempdir()?;
    run.write(&parent.path().join("run"), |_| false)?;
    let mut window = window(crosscurrent::ui::Options {
        runs: vec![parent.path().join("run")],
        ..Default::default()
    });
    window.state_mut().show(page);
    settle(&mut window);
    Ok((parent, window))
}

/// The label of the first matrix, which names the cell that the keyboard is on.
fn cursor(window: &Window) -> Option<String> {
    let mut found = window.query_all_by_label_contains("Conflict matrix");
    found.next()?.accesskit_node().label()
}

#[test]
fn the_keyboard_walks_through_a_matrix_and_picks_a_pair() -> Result<()> {
    let (_kept, mut window) = open(Page::Conflicts)?;
    // Without a selected pair the keyboard begins at the first cell.
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_label("Conflict matrix").focus();
    settle(&mut window);
    assert_eq!(
        cursor(&window).as_deref(),
        Some("Conflict matrix, Clean × Clean")
    );
    for key in [
        Key::ArrowRight,
        Key::ArrowRight,
        Key::ArrowDown,
        Key::ArrowLeft,
    ] {
        press(&mut window, Modifiers::NONE, key);
    }
    assert_eq!(
        cursor(&window).as_deref(),
        Some("Conflict matrix, Dusty × Dusty")
    );
    press(&mut window, Modifiers::NONE, Key::ArrowUp);
    // The arrow keys belong to the matrix, and do not move the moment.
    ensure!(has(&window, "· newest"));
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(window.state_mut().figure_view().pair, Some((0, 1)));
    Ok(())
}

#[test]
fn the_keyboard_picks_a_layer_and_a_moment() -> Result<()> {
    let (_kept, mut window) = open(Page::Conflicts)?;
    window.get_by_label("Layers by moment").focus();
    settle(&mut window);
    ensure!(has(&window, "Layers by moment, backbone at step"));
    for key in [Key::ArrowDown, Key::ArrowDown, Key::ArrowLeft, Key::Enter] {
        press(&mut window, Modifiers::NONE, key);
    }
    let view = window.state_mut().figure_view().clone();
    assert_eq!(view.scope.name(), "stem.bn1");
    let step = view.step.context("a moment")?;
    ensure!(has(
        &window,
        &format!("Layers by moment, stem.bn1 at step {step}")
    ));
    ensure!(!has(&window, "· newest"));
    Ok(())
}

#[test]
fn pairs_are_marked_from_the_list_of_commands() -> Result<()> {
    let (_kept, mut window) = open(Page::Mistakes)?;
    window.state_mut().figure_view().class = None;
    let run = |window: &mut Window, words: &str, command: &str| {
        press(window, Modifiers::COMMAND, Key::K);
        window.get_by_label("Search commands").type_text(words);
        settle(window);
        click(window, command);
    };
    run(
        &mut window,
        "mark against",
        "Mark pairs: that pull against each other",
    );
    let brush = window.state_mut().figure_view().brush.context("marked")?;
    assert_eq!((brush.cosine, brush.mistaken), ([-1.0, 0.0], [0.0, 1.0]));
    ensure!(has(&window, " marked"));
    run(&mut window, "mark none", "Mark pairs: none");
    assert_eq!(window.state_mut().figure_view().brush, None);
    run(&mut window, "pair dusty", "Pair: Clean × Dusty");
    assert_eq!(window.state_mut().figure_view().pair, Some((0, 1)));
    Ok(())
}

/// With many classes the matrix is a single widget, of which a part can be brought into sight.
#[test]
fn a_large_matrix_follows_keys_and_buttons() -> Result<()> {
    let run = Constructed {
        classes: 40,
        ..SHORT
    };
    let (_kept, mut window) = open_run(&run, Page::Conflicts)?;
    click(&mut window, "Show fewer classes, larger");
    let count = |window: &mut Window| window.state_mut().figure_view().sight.map(|x| x.count);
    assert_eq!(count(&mut window), Some(27));
    click(&mut window, "Show more classes");
    assert_eq!(count(&mut window), None);
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_label("Conflict matrix").focus();
    settle(&mut window);
    for _ in 0..4 {
        press(&mut window, Modifiers::NONE, Key::Plus);
    }
    assert_eq!(count(&mut window), Some(8));
    // The part in sight follows the keyboard.
    for _ in 0..12 {
        press(&mut window, Modifiers::NONE, Key::ArrowRight);
    }
    let sight = window.state_mut().figure_view().sight;
    assert_eq!(sight.map(|x| (x.row, x.column + x.count)), Some((0, 13)));
    press(&mut window, Modifiers::NONE, Key::Num0);
    assert_eq!(count(&mut window), None);
    Ok(())
}

#[test]
fn a_selection_is_cleared() -> Result<()> {
    let (_kept, mut window) = open(Page::Mistakes)?;
    click(&mut window, "Dusty taken for Clean");
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    press(&mut window, Modifiers::ALT, Key::ArrowDown);
    let selected = |window: &mut Window| {
        let view = window.state_mut().figure_view();
        (view.class, view.pair, view.confused)
    };
    assert_eq!(selected(&mut window), (Some(1), Some((1, 0)), Some((1, 0))));
    press(&mut window, Modifiers::ALT, Key::ArrowUp);
    assert_eq!(selected(&mut window).0, Some(0));
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert_eq!(selected(&mut window), (None, None, None));
    Ok(())
}

/// On the page of mistakes the cursor reaches every evaluation, on other pages only the probes. Past the newest moment
/// it follows the run again.
#[test]
fn the_cursor_reaches_evaluations_where_they_are_shown() -> Result<()> {
    let run = Constructed {
        eval_every: 5,
        probe_every: 20,
        ..SHORT
    };
    let (_kept, mut window) = open_run(&run, Page::Conflicts)?;
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    ensure!(has(&window, "step 20 · epoch 2.0 · held"));
    window.state_mut().show(Page::Mistakes);
    settle(&mut window);
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    ensure!(has(&window, "step 25 · epoch 2.5 · held"));
    ensure!(has(&window, "validation images of step 25"));
    for _ in 0..4 {
        press(&mut window, Modifiers::NONE, Key::ArrowRight);
    }
    ensure!(has(&window, "step 40 · epoch 4.0 · newest"));
    ensure!(value(&window, "Moment shown").is_some());
    Ok(())
}

/// An order by similarity that was found for other classes does not apply, and is not shown as chosen.
#[test]
fn an_order_by_similarity_is_of_the_classes_it_was_found_for() -> Result<()> {
    let (_kept, mut window) = open(Page::Conflicts)?;
    let order = |window: &Window| window.get_by_label("Order").accesskit_node().value();
    press(&mut window, Modifiers::COMMAND, Key::K);
    window
        .get_by_label("Search commands")
        .type_text("order similarity");
    settle(&mut window);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(order(&window).as_deref(), Some("by similarity"));
    let view = window.state_mut().figure_view();
    let Order::Similarity(names) = &mut view.order else {
        anyhow::bail!("{:?}", view.order);
    };
    names[0] = "Cat".to_owned();
    settle(&mut window);
    assert_eq!(order(&window).as_deref(), Some("as listed"));
    Ok(())
}

#[test]
fn going_back_after_a_run_was_removed_shows_the_other_run() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let mut window = window(two_runs(parent.path())?);
    press(&mut window, Modifiers::COMMAND, Key::D);
    click(&mut window, "Conflicts");
    click(&mut window, "Remove branch");
    press(&mut window, Modifiers::ALT, Key::ArrowLeft);
    press(&mut window, Modifiers::COMMAND, Key::D);
    // There is no second run, and so no second column.
    ensure!(
        window
            .get_by_label("Two runs side by side")
            .accesskit_node()
            .is_disabled()
    );
    let maps = |run| {
        let export = format!("Export… Network map, {run}");
        window.query_all_by_label(&export).count()
    };
    assert_eq!((maps("baseline"), maps("branch")), (1, 0));
    Ok(())
}
