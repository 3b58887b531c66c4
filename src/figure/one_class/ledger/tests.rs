//! Figures of one class on the recorded sample run: six classes, the rarest of them Physical-damage.

use super::*;
use crate::figure::conflicts::pair;
use crate::figure::facts::ledger::{learning_rate_at, not_predicted};
use crate::figure::one_class::ledger_time;
use crate::figure::table::Value;
use crate::figure::testing::{Recorded, picked, recorded};
use crate::figure::{Kind, figure_png};
use crate::run::Scope;
use crate::run::probe_file::ProbeTensors;
use crate::run::probes::Probes;
use anyhow::{Context as _, Result};

fn text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

#[test]
fn a_click_on_a_bar_picks_the_pair_and_the_list_a_class() -> Result<()> {
    let view = View::default();
    let pair = picked(Kind::Ledger, &view, &["Dusty on Physical-damage"])?;
    assert_eq!(pair, [Pick::Pair(4, 1)]);
    let itself = picked(Kind::Ledger, &view, &["Physical-damage on itself"])?;
    assert_eq!(itself, [], "a class has no pair with itself");
    let class = picked(Kind::Ledger, &view, &["Class", "Snow-covered"])?;
    assert_eq!(class, [Pick::Class(5)]);
    let view = View {
        class: Some(0),
        ..View::default()
    };
    let pair = picked(Kind::Ledger, &view, &["Snow-covered on Clean"])?;
    assert_eq!(pair, [Pick::Pair(0, 5)]);
    Ok(())
}

/// The numbers follow class, moment and part of the network, and the shares add up to the net effect, which is that of
/// the curve.
#[test]
fn the_numbers_follow_class_moment_and_part() -> Result<()> {
    let sample = recorded("solar-branch")?;
    let subject = sample.subject();
    let mut tables = Vec::new();
    for (class, step, scope) in [
        (None, Some(sample.middle()), Scope::Backbone),
        (Some(0), Some(sample.middle()), Scope::Backbone),
        (None, Some(0), Scope::Backbone),
        (None, None, Scope::Backbone),
        (None, None, Scope::Layer("classifier".to_owned())),
    ] {
        let view = View {
            class,
            step,
            scope,
            ..View::default()
        };
        let ledger = table(subject, &view);
        let (net, shares) = ledger.rows.split_last().context("rows")?;
        assert_eq!(shares.len(), 6);
        let wanted = ["Physical-damage", "Clean"][usize::from(class.is_some())];
        assert!(ledger.rows.iter().all(|row| text(&row[1]) == wanted));
        let values: Vec<f64> = shares.iter().filter_map(|row| number(&row[2])).collect();
        assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
        let net = number(&net[2]).context("net")?;
        assert!((values.iter().sum::<f64>() - net).abs() < 1e-9 * values[0].abs());
        let moment = subject.probe(&view).context("probe")?.step as f64;
        let mut steps = ledger.rows.iter().map(|row| number(&row[5]));
        assert!(steps.all(|step| step == Some(moment)));
        let curve = ledger_time::table(subject, &view);
        let same = |row: &&Vec<Value>| number(&row[0]) == Some(moment);
        let row = curve.rows.iter().find(same).context("moment")?;
        assert_eq!(number(&row[3]), Some(net));
        tables.push(ledger);
    }
    for (i, a) in tables.iter().enumerate() {
        assert!(tables[..i].iter().all(|b| a != b));
    }
    Ok(())
}

/// Before the first step there is no step taken and no loss has changed; after it the measured change is that of the
/// losses.
#[test]
fn the_measured_side_is_that_of_the_losses() -> Result<()> {
    let sample = recorded("solar-branch")?;
    let table = ledger_time::table(sample.subject(), &View::default());
    assert_eq!(table.rows.len(), sample.run.probes.len());
    assert_eq!(table.rows[0][6..], [Value::None, Value::None]);
    let loss = |tensors: &ProbeTensors| -> f64 {
        let own = tensors.n.iter().zip(&tensors.loss).skip(16).take(4);
        let (mut sum, mut images) = (0.0, 0.0);
        for (n, loss) in own {
            sum += f64::from(n * loss);
            images += f64::from(*n);
        }
        sum / images
    };
    let losses: Vec<(u64, f64)> = sample
        .probes
        .whole
        .iter()
        .map(|(step, x)| (*step, loss(x)))
        .collect();
    for (row, pair) in table.rows[1..].iter().zip(losses.windows(2)) {
        let wanted = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0) as f64;
        let got = number(&row[7]).context("measured")?;
        assert!((got - wanted).abs() < 1e-6, "{got} instead of {wanted}");
        assert!(number(&row[6]).is_some());
    }
    Ok(())
}

#[test]
fn the_learning_rate_is_that_of_the_newest_step() -> Result<()> {
    let mut run = recorded("solar-branch")?.run;
    let (first, second) = (run.steps[0].clone(), run.steps[1].clone());
    assert_eq!(learning_rate_at(&run, 0), Some(first.lr));
    assert_eq!(learning_rate_at(&run, second.step - 1), Some(first.lr));
    assert_eq!(learning_rate_at(&run, second.step), Some(second.lr));
    let last = run.steps.last().map(|step| step.lr);
    assert_eq!(learning_rate_at(&run, u64::MAX), last);
    run.steps.clear();
    assert_eq!(learning_rate_at(&run, 5), None);
    Ok(())
}

#[test]
fn too_many_classes_leave_the_strongest_shares() {
    let effect = |nats: f64| Effect {
        nats,
        standard_error: Some(0.1),
    };
    let shares: Vec<_> = [3.0, 1.0, 0.5, -0.2, -4.0]
        .map(effect)
        .into_iter()
        .enumerate()
        .collect();
    let account = Account {
        class: 0,
        net: effect(0.3),
        is_whole: true,
        shares,
    };
    let describe = |room: usize| -> Vec<(i64, f64)> {
        let one = |row: &Row<'_>| match row {
            Row::Share(j, effect) => (*j as i64, effect.nats),
            Row::Others(n, effect) => (-(*n as i64), (effect.nats * 10.0).round() / 10.0),
            Row::Net(effect) => (99, effect.nats),
        };
        rows(&account, room).iter().map(one).collect()
    };
    assert_eq!(describe(6).len(), 6);
    assert_eq!(describe(4), [(0, 3.0), (4, -4.0), (-3, 1.3), (99, 0.3)]);
    assert_eq!(describe(2), [(-5, 0.3), (99, 0.3)]);
    assert!(describe(1).is_empty());
}

#[test]
fn the_pair_says_what_is_known_at_the_cursor() -> Result<()> {
    let sample = recorded("solar-branch")?;
    let at = |step: Option<u64>, pair: Option<(usize, usize)>| {
        let view = View {
            step,
            pair,
            ..View::default()
        };
        (
            pair::note(sample.subject(), &view),
            pair::table(sample.subject(), &view),
        )
    };
    let (note, table) = at(None, Some((1, 4)));
    let note = note.context("note")?;
    let confusion = &sample
        .run
        .evals_of(crate::run::event::Split::Val)
        .last()
        .context("evaluation")?
        .confusion;
    let taken = format!("Dusty taken for Physical-damage {} of", confusion[1][4]);
    assert!(note.contains(&taken) && note.contains("‖g‖"), "{note}");
    let (early, _) = at(Some(0), Some((1, 4)));
    assert_ne!(early, Some(note));
    assert_eq!(table.rows.len(), sample.run.probes.len());
    for row in &table.rows {
        let [cosine, first, second] = [4, 6, 7].map(|at| number(&row[at]).unwrap());
        assert!(
            [cosine, first, second]
                .iter()
                .all(|x| (-1.0..=1.0).contains(x))
        );
    }
    assert_eq!(at(None, None).0, None);
    assert_eq!(at(None, Some((0, 77))).0, None);
    Ok(())
}

/// Without a probe or a learning rate there is no ledger: the image differs, and the table is empty.
#[test]
fn missing_probes_and_learning_rates_are_named() -> Result<()> {
    let mut sample = recorded("solar-branch")?;
    let view = View::default();
    let options = crate::figure::export::Options {
        size: [400.0, 240.0],
        scale: 1.0,
        dark: false,
    };
    let whole = figure_png(Kind::Ledger, sample.subject(), &view, &options);
    let missing = |sample: &Recorded| account(&Context::default(), sample.subject(), &view).err();
    assert!(missing(&sample).is_none());
    let steps = std::mem::take(&mut sample.run.steps);
    let sentence = missing(&sample).context("sentence")?;
    assert!(sentence.contains("learning rate"), "{sentence}");
    sample.run.steps = steps;
    sample.probes = Probes::new();
    let sentence = missing(&sample).context("sentence")?;
    assert!(sentence.contains("is being read"), "{sentence}");
    assert!(figure_png(Kind::Ledger, sample.subject(), &view, &options) != whole);
    assert!(table(sample.subject(), &view).rows.is_empty());
    Ok(())
}

/// Writes the figures for a person to look at: `FIGURE_SHOTS=folder cargo test --release --lib ledger -- --ignored`
#[test]
#[ignore = "writes images for a person to look at"]
fn shots() -> Result<()> {
    let Some(folder) = std::env::var_os("FIGURE_SHOTS").map(std::path::PathBuf::from) else {
        println!("skipped: FIGURE_SHOTS names no folder");
        return Ok(());
    };
    std::fs::create_dir_all(&folder)?;
    let sample = recorded("solar-branch")?;
    let kinds = [
        Kind::Ledger,
        Kind::LedgerTime,
        Kind::WhatIf,
        Kind::PairCosine,
    ];
    for (what, size, dark) in [
        ("wide", [640.0, 360.0], false),
        ("small", [340.0, 230.0], true),
    ] {
        for kind in kinds {
            let view = View {
                step: Some(sample.middle()),
                pair: Some((4, 0)),
                what_if: crate::figure::WhatIf {
                    weights: vec![0.3, 0.5, 0.6, 0.8, 3.0, 0.8],
                    surgery: crate::figure::Surgery::PcGrad,
                },
                ..View::default()
            };
            let options = crate::figure::export::Options {
                size,
                scale: 2.0,
                dark,
            };
            let image = figure_png(kind, sample.subject(), &view, &options);
            let name = format!("{}-{what}.png", kind.name());
            crate::figure::export::write_png(&folder.join(name), &image)?;
        }
    }
    Ok(())
}

/// Where the probe has no image of a class that training sees, what a whole step does is not told.
#[test]
fn without_images_of_a_class_no_whole_step_is_predicted() -> Result<()> {
    let mut sample = recorded("solar-branch")?;
    assert_eq!(not_predicted(&sample.run), None);
    let started = sample.run.started.as_mut().context("no header")?;
    started.probe.counts[2].fill(0);
    assert!(!sample.run.measures_all());
    let said = not_predicted(&sample.run).context("predicted")?;
    assert!(
        said.contains("the probe has no image of Bird-drop"),
        "{said}"
    );
    // A class that training does not see either is no part of a step.
    let started = sample.run.started.as_mut().context("no header")?;
    started.train_counts[2] = 0;
    assert!(sample.run.measures_all());
    Ok(())
}
