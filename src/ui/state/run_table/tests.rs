use std::path::Path;
use std::sync::Arc;

use super::table::Spread;
use super::{Browser, Column, DEPTH, Edit, Found, Line, Order, Table};
use crate::config::{Attention, RunConfig};
use crate::run::event::{End, Event, Split, Started};
use crate::run::glance::Scores;
use crate::run::log::{Writer, events_path, load};
use crate::run::notes::{Notes, notes_path};
use crate::ui::state::runs::{GROWS_FOR_SECS, RunState, Runs};
use crate::ui::work::look_through;

/// The header of a recorded run, with another configuration.
fn header(config: RunConfig, created: u64) -> anyhow::Result<Started> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-branch");
    let mut started = load(&sample)?.run.started.unwrap();
    started.config = config;
    started.created_unix_secs = created;
    started.id = format!("run-{created}");
    Ok(started)
}

fn eval(step: u64, split: Split, macro_f1: f64) -> anyhow::Result<Event> {
    let value = serde_json::json!({
        "event": "eval", "step": step, "epoch": 1.0, "split": split, "loss": 1.0,
        "accuracy": 0.9, "balanced_accuracy": 0.5, "macro_f1": macro_f1, "macro_f1_classes": 6,
        "precision": [0.5], "recall": [0.5], "f1": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        "support": [1], "confusion": [[1]],
    });
    Ok(serde_json::from_value(value)?)
}

/// Writes a finished run with a validation and a test score.
fn write(dir: &Path, config: RunConfig, created: u64, score: f64) -> anyhow::Result<()> {
    let mut writer = Writer::create(dir)?;
    writer.write(&Event::Started(Box::new(header(config, created)?)))?;
    writer.write(&eval(10, Split::Val, score)?)?;
    writer.write(&eval(10, Split::Test, score - 0.1)?)?;
    let message = String::new();
    writer.write(&Event::Finished(End { step: 10, message }))?;
    Ok(())
}

fn config(attention: Attention, seed: u64) -> RunConfig {
    RunConfig {
        attention,
        seed,
        ..RunConfig::default()
    }
}

/// Two groups of seeds and a damaged run: scores 0.5, 0.6, 0.7 without and 0.8, 0.9 with attention.
fn five_runs() -> anyhow::Result<(tempfile::TempDir, Vec<Found>)> {
    let parent = tempfile::tempdir()?;
    let runs = [
        ("a", Attention::None, 0, 0.5),
        ("b", Attention::None, 1, 0.6),
        ("c", Attention::None, 2, 0.7),
        ("deep/er/d", Attention::Branch, 0, 0.8),
        ("deep/er/e", Attention::Branch, 1, 0.9),
    ];
    for (at, (name, attention, seed, score)) in runs.into_iter().enumerate() {
        write(
            &parent.path().join(name),
            config(attention, seed),
            at as u64,
            score,
        )?;
    }
    let damaged = parent.path().join("z");
    std::fs::create_dir(&damaged)?;
    std::fs::write(events_path(&damaged), "no log\n")?;
    // The search must not find these: a hidden folder, a folder that is too deep, and one within a run.
    for name in [".hidden/x", "1/2/3/4", "a/checkpoints/x"] {
        write(
            &parent.path().join(name),
            config(Attention::None, 9),
            9,
            0.1,
        )?;
    }
    let found = look_through(&[(parent.path().to_owned(), DEPTH)], &[], 0.0);
    Ok((parent, found))
}

fn names(table: &Table) -> Vec<&str> {
    table.rows.iter().map(|row| row.name.as_str()).collect()
}

#[test]
fn runs_are_found_and_sorted() -> anyhow::Result<()> {
    let (_parent, found) = five_runs()?;
    let runs = Runs::default();
    let mut order = Order::default();
    let table = Table::new(&runs, &found, &order);
    assert_eq!(
        names(&table),
        ["e", "d", "c", "b", "a", "z"],
        "the newest first"
    );
    assert_eq!(table.fields, ["attention", "seed"]);
    assert_eq!(table.rows[5].state.word(), "damaged");

    order.sort = Column::MacroF1;
    order.descending = false;
    let table = Table::new(&runs, &found, &order);
    assert_eq!(
        names(&table),
        ["a", "b", "c", "d", "e", "z"],
        "what is missing comes last"
    );
    order.sort = Column::Field("seed".to_owned());
    order.descending = true;
    assert_eq!(
        names(&Table::new(&runs, &found, &order)),
        ["c", "b", "e", "a", "d", "z"]
    );

    order.filter = "Branch SEED=1".to_owned();
    let table = Table::new(&runs, &found, &order);
    assert_eq!((names(&table), table.total), (vec!["e"], 6));
    assert!(table.fields.is_empty(), "one run differs in nothing");
    Ok(())
}

/// The mean and standard deviation of 0.5, 0.6 and 0.7 are 0.6 and 0.1; those of 0.8 and 0.9 are 0.85 and √0.005.
#[test]
fn seeds_are_grouped() -> anyhow::Result<()> {
    let (_parent, found) = five_runs()?;
    let mut order = Order {
        by_seed: true,
        sort: Column::MacroF1,
        ..Order::default()
    };
    let table = Table::new(&Runs::default(), &found, &order);
    assert_eq!(table.lines.len(), 3, "two groups and a damaged run");
    let score = |scores: Scores| scores.macro_f1;
    let spreads: Vec<_> = table
        .groups
        .iter()
        .filter_map(|group| table.spread(group, Split::Val, score))
        .collect();
    assert!((spreads[0].mean - 0.85).abs() < 1e-12 && spreads[0].n == 2);
    assert!((spreads[0].sd.unwrap_or(0.0) - 0.005_f64.sqrt()).abs() < 1e-12);
    assert_eq!(spreads[1].in_words(), "0.600 ± 0.100 (3)");
    let test = table.spread(&table.groups[1], Split::Test, score);
    assert_eq!(
        test.map(|spread| spread.in_words()).as_deref(),
        Some("0.500 ± 0.100 (3)")
    );

    order.unfolded.insert(table.groups[1].key.clone());
    let table = Table::new(&Runs::default(), &found, &order);
    let within = table
        .lines
        .iter()
        .filter(|line| matches!(line, Line::Run(_, true)));
    assert_eq!(within.count(), 3);
    assert_eq!(Spread::of(&[]), None);
    assert_eq!(
        Spread::of(&[0.5]).map(|x| x.in_words()).as_deref(),
        Some("0.500 (1)")
    );
    Ok(())
}

/// A run that is not finished has no result, and `n` does not count it.
#[test]
fn only_finished_runs_are_in_a_mean() -> anyhow::Result<()> {
    let (parent, mut found) = five_runs()?;
    let mut writer = Writer::append(&parent.path().join("a"))?;
    writer.write(&Event::Resumed { step: 10 })?;
    drop(writer);
    found = look_through(&[(parent.path().to_owned(), DEPTH)], &found, 0.0);
    let order = Order {
        by_seed: true,
        ..Order::default()
    };
    let table = Table::new(&Runs::default(), &found, &order);
    let of_three = table
        .groups
        .iter()
        .find(|group| group.rows.len() == 3)
        .unwrap();
    let spread = table.spread(of_three, Split::Val, |scores| scores.macro_f1);
    // Mean and standard deviation of 0.6 and 0.7.
    assert_eq!(
        spread.map(|x| x.in_words()).as_deref(),
        Some("0.650 ± 0.071 (2)")
    );
    Ok(())
}

#[test]
fn only_changed_logs_are_read_again() -> anyhow::Result<()> {
    let (parent, mut found) = five_runs()?;
    let places = [(parent.path().to_owned(), DEPTH)];
    // Only glances that were kept, and not read again, bear this mark.
    for found in &mut found {
        if let Ok(glance) = &mut found.glance {
            Arc::make_mut(&mut glance.started).id = "kept".to_owned();
        }
    }
    let mut writer = Writer::append(&parent.path().join("b"))?;
    writer.write(&Event::Resumed { step: 10 })?;
    let again = look_through(&places, &found, 0.0);
    let kept: Vec<_> = again
        .iter()
        .filter(|found| {
            found
                .glance
                .as_ref()
                .is_ok_and(|glance| glance.started.id == "kept")
        })
        .map(|found| Notes::default().name_of(&found.dir))
        .collect();
    assert_eq!(kept, ["a", "c", "d", "e"]);
    let b = again.iter().find(|found| found.dir.ends_with("b")).unwrap();
    assert!(b.is_running(), "its lock is held");
    drop(writer);
    let grown = look_through(&places, &again, 10.0);
    assert!(
        grown.iter().any(Found::is_running),
        "it grew a moment ago, and its writer may be out of sight"
    );
    let b = look_through(&places, &again, 2.0 * GROWS_FOR_SECS);
    assert!(
        b.iter().all(|found| !found.is_running()),
        "the lock is looked at each time"
    );
    Ok(())
}

/// A run fails to open while a thread looks through the folders. The thread does not know of the failure, and must not
/// erase it.
#[test]
fn a_failure_to_open_during_a_search_is_kept() -> anyhow::Result<()> {
    let (parent, found) = five_runs()?;
    let places = [(parent.path().to_owned(), DEPTH)];
    let mut browser = Browser::default();
    browser.list(found.clone());
    let under_way = look_through(&places, &found, 0.0);
    let dir = parent.path().join("b");
    assert!(browser.mark(&dir, Some("line 4 is damaged")));
    browser.list(under_way);
    let error = |browser: &Browser| {
        let b = browser.found.iter().find(|found| found.dir == dir);
        b.and_then(|found| found.open_error.clone())
    };
    assert_eq!(error(&browser).as_deref(), Some("line 4 is damaged"));
    let mut writer = Writer::append(&dir)?;
    writer.write(&Event::Resumed { step: 10 })?;
    let grown = look_through(&places, &browser.found, 1.0);
    browser.list(grown);
    assert_eq!(error(&browser), None, "another log may be opened");
    Ok(())
}

#[test]
fn two_hundred_runs_are_listed() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    for seed in 0..200 {
        let dir = parent.path().join(format!("run-{seed:03}"));
        write(&dir, config(Attention::None, seed), seed, 0.5)?;
    }
    let found = look_through(&[(parent.path().to_owned(), 1)], &[], 0.0);
    let order = Order::default();
    let table = Table::new(&Runs::default(), &found, &order);
    assert_eq!(
        (table.rows.len(), table.rows[0].name.as_str()),
        (200, "run-199")
    );
    let by_seed = Order {
        by_seed: true,
        ..order
    };
    let table = Table::new(&Runs::default(), &found, &by_seed);
    assert_eq!((table.groups.len(), table.lines.len()), (1, 1));
    Ok(())
}

#[test]
fn a_name_of_ones_own_is_shown() -> anyhow::Result<()> {
    let (parent, found) = five_runs()?;
    let notes = Notes {
        name: "Final".to_owned(),
        notes: "the one in the paper".to_owned(),
    };
    notes.save(&parent.path().join("c"))?;
    let found = look_through(&[(parent.path().to_owned(), DEPTH)], &found, 0.0);
    let order = Order {
        filter: "paper".to_owned(),
        ..Order::default()
    };
    assert_eq!(
        names(&Table::new(&Runs::default(), &found, &order)),
        ["Final"]
    );
    Ok(())
}

fn notes(name: &str, notes: &str) -> Notes {
    Notes {
        name: name.to_owned(),
        notes: notes.to_owned(),
    }
}

/// Notes are saved whole: an edit that begins with empty notes would erase those in the file.
#[test]
fn an_open_run_that_no_search_has_found_has_its_notes() {
    let mut runs = Runs::default();
    let id = runs.add(Path::new("link").to_owned(), RunState::Opening);
    let row = |runs: &Runs| Table::new(runs, &[], &Order::default()).rows.remove(0);
    let mut edit = Edit::of(&row(&runs));
    runs.rename(id, &notes("Final", "the one in the paper"));
    if let Some(entry) = runs.get_mut(id) {
        entry.original = Some("ssh://server/run".to_owned());
    }
    let known = row(&runs);
    assert_eq!(known.notes, notes("Final", "the one in the paper"));
    assert_eq!(known.original.as_deref(), Some("ssh://server/run"));
    edit.refresh(&known);
    assert_eq!((&edit.notes, &edit.saved), (&known.notes, &known.notes));
    edit.notes = notes("Final", "typed");
    runs.rename(id, &notes("Other", "from elsewhere"));
    edit.refresh(&row(&runs));
    assert_eq!(edit.notes, notes("Final", "typed"));
}

#[test]
fn an_error_in_a_file_of_notes_is_not_taken_for_notes() -> anyhow::Result<()> {
    let (parent, found) = five_runs()?;
    let dir = parent.path().join("c");
    std::fs::write(notes_path(&dir), "{")?;
    let found = look_through(&[(parent.path().to_owned(), DEPTH)], &found, 0.0);
    let table = Table::new(&Runs::default(), &found, &Order::default());
    let row = table.rows.iter().find(|row| row.dir == dir).unwrap();
    assert_eq!(row.notes, Notes::default());
    assert!(row.notes_error.is_some());
    Ok(())
}

/// The first run of a group stands for it on the page Compare, which knows finished runs alone.
#[test]
fn finished_runs_of_a_group_are_compared_first() -> anyhow::Result<()> {
    let (parent, mut found) = five_runs()?;
    let mut writer = Writer::append(&parent.path().join("c"))?;
    writer.write(&Event::Resumed { step: 10 })?;
    drop(writer);
    found = look_through(&[(parent.path().to_owned(), DEPTH)], &found, 0.0);
    let order = Order {
        by_seed: true,
        ..Order::default()
    };
    let table = Table::new(&Runs::default(), &found, &order);
    let mut groups = table.groups.iter();
    let of_three = groups.find(|group| group.rows.len() == 3).unwrap();
    let expected = ["b", "a", "c"].map(|name| parent.path().join(name));
    assert_eq!(table.to_compare(of_three), expected);
    Ok(())
}
