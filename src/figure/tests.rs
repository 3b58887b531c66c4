//! Every figure of constructed runs: small and large, light and dark, whole and with parts missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::config::RunConfig;
use crate::random::Random;
use crate::run::CLASSIFIER;
use crate::run::event::{
    Eval, Event, FORMAT, Layer, Normalise, Probe, ProbeSet, Split, Started, Step,
};

const STEPS_PER_EPOCH: u64 = 50;
const PIECES: usize = 4;

/// A run and the probe tensors that are loaded.
struct Sample {
    run: Run,
    probes: BTreeMap<u64, Arc<ProbeTensors>>,
}

impl Sample {
    fn subject(&self) -> Subject<'_> {
        Subject {
            name: "solar, seed 0",
            run: &self.run,
            probes: &self.probes,
        }
    }

    fn empty() -> Self {
        Self {
            run: Run::default(),
            probes: BTreeMap::new(),
        }
    }

    fn started(classes: usize) -> Self {
        let mut sample = Self::empty();
        sample
            .run
            .apply(&Event::Started(Box::new(started(classes))));
        sample
    }

    /// `moments` probes and evaluations, and three times as many logged steps. Class 1 has no image to probe from 3
    /// classes on, one evaluation and one step have no loss, and a class has no F1 at first.
    fn new(classes: usize, moments: u64) -> Self {
        let mut sample = Self::started(classes);
        for moment in 0..moments {
            let step = moment * 30;
            let epoch = step as f64 / STEPS_PER_EPOCH as f64;
            let (probe, tensors) = probe(classes, step, epoch);
            sample.probes.insert(step, Arc::new(tensors));
            sample.run.apply(&Event::Probe(probe));
            sample
                .run
                .apply(&Event::Eval(eval(classes, step, epoch, Split::Val)));
            for i in 1..=3 {
                sample.run.apply(&Event::Step(train_step(step + 10 * i)));
            }
        }
        let last = sample.run.last_step();
        let epoch = last as f64 / STEPS_PER_EPOCH as f64;
        sample
            .run
            .apply(&Event::Eval(eval(classes, last, epoch, Split::Test)));
        sample
    }
}

fn names(classes: usize) -> Vec<String> {
    let known = [
        "Clean",
        "Dusty",
        "Bird-drop",
        "Electrical-damage",
        "Physical-damage",
        "Snow-covered",
        "Hot-Spot-Multi",
        "Offline-Module",
    ];
    let other = |k| format!("Class {k}");
    (0..classes)
        .map(|k| known.get(k).map_or_else(|| other(k), ToString::to_string))
        .collect()
}

/// Another network than ours: a stem, two lanes of unequal length, and a classifier.
fn layers() -> Vec<Layer> {
    let table: [(&str, &str, &[&str]); 13] = [
        ("stem.conv1", "conv", &[]),
        ("stem.bn1", "batch_norm", &["stem.conv1"]),
        ("stem.pool", "max_pool", &["stem.bn1"]),
        ("branch1.conv1", "conv", &["stem.pool"]),
        ("branch1.bn1", "batch_norm", &["branch1.conv1"]),
        ("branch2.conv1", "conv", &["stem.pool"]),
        ("branch2.bn1", "batch_norm", &["branch2.conv1"]),
        ("branch2.conv2", "conv", &["branch2.bn1"]),
        ("branch2.gate", "gate", &["branch2.conv2"]),
        ("fuse.concat", "concat", &["branch1.bn1", "branch2.gate"]),
        ("fuse.conv", "conv", &["fuse.concat"]),
        ("fuse.pool", "mean_pool", &["fuse.conv"]),
        (CLASSIFIER, "linear", &["fuse.pool"]),
    ];
    let mut rows = 0..;
    table
        .into_iter()
        .map(|(name, kind, inputs)| {
            let trained = !(kind.ends_with("pool") || kind == "concat");
            Layer {
                name: name.to_owned(),
                group: name.split('.').next().unwrap_or(name).to_owned(),
                kind: kind.to_owned(),
                shape: vec![16, 16, 24],
                params: if trained { 1234 } else { 0 },
                inputs: inputs.iter().map(ToString::to_string).collect(),
                gram: trained.then(|| rows.next()).flatten(),
            }
        })
        .collect()
}

fn started(classes: usize) -> Started {
    Started {
        format: FORMAT,
        id: "sample".to_owned(),
        parent: None,
        created_unix_secs: 0,
        code_version: "0".to_owned(),
        instruction_set: "none".to_owned(),
        config: RunConfig::default(),
        classes: names(classes),
        train_counts: (0..classes).map(|k| 1000 / (k + 1)).collect(),
        val_counts: vec![10; classes],
        test_counts: vec![10; classes],
        image: [32, 32, 3],
        normalise: Normalise {
            mean: vec![0.5; 3],
            std: vec![0.25; 3],
        },
        layers: layers(),
        probe: ProbeSet {
            pieces: PIECES,
            counts: vec![vec![8; PIECES]; classes],
        },
        steps_per_epoch: STEPS_PER_EPOCH,
        total_steps: 400,
        data_fingerprint: "0".to_owned(),
    }
}

fn train_step(step: u64) -> Step {
    let noise = Random::new(0, "step", 0, step).uniform();
    Step {
        step,
        epoch: step as f64 / STEPS_PER_EPOCH as f64,
        images: 128 * step,
        wall_secs: step as f64,
        loss: (step != 100).then(|| 1.6 * (-(step as f64) / 200.0).exp() + 0.4 * noise),
        lr: 0.1,
        grad_norms: Vec::new(),
    }
}

fn eval(classes: usize, step: u64, epoch: f64, split: Split) -> Eval {
    let f1: Vec<_> = (0..classes)
        .map(|k| {
            let random = Random::new(1, "f1", step, k as u64).uniform();
            let top = 0.95 - 0.8 * k as f64 / classes as f64;
            let learnt = 1.0 - (-(step as f64) / 120.0).exp();
            (k > 1 || step > 90).then_some((top * learnt + 0.06 * random).min(1.0))
        })
        .collect();
    let mean = f1.iter().flatten().sum::<f64>() / f1.iter().flatten().count().max(1) as f64;
    Eval {
        step,
        epoch,
        split,
        loss: (step != 120).then(|| 1.7 * (-(step as f64) / 180.0).exp() + 0.3),
        accuracy: Some(0.3 + 0.7 * mean),
        balanced_accuracy: Some(0.1 + 0.8 * mean),
        macro_f1: Some(mean),
        macro_f1_classes: classes,
        precision: f1.clone(),
        recall: f1.clone(),
        f1,
        support: vec![10; classes],
        confusion: (0..classes)
            .map(|k| {
                let mut row = vec![0; classes];
                row[k] += 7;
                row[(k + 1) % classes] += 2;
                row[(k + 3) % classes] += 1;
                row
            })
            .collect(),
    }
}

/// Gradients of eight weights a layer: classes share a direction, or are drawn apart by it, under noise.
fn probe(classes: usize, step: u64, epoch: f64) -> (Probe, ProbeTensors) {
    let trained = layers().iter().filter(|layer| layer.gram.is_some()).count();
    let rows = classes * PIECES;
    let missing = |row: usize| classes > 2 && row / PIECES == 1;
    let gradient = |layer: usize, row: usize| -> Vec<f64> {
        if missing(row) {
            return vec![0.0; 8];
        }
        let class = row / PIECES;
        let mut own = Random::new(2, "class", layer as u64, class as u64);
        let mut noise = Random::new(3, "noise", step, (layer * rows + row) as u64);
        let axis = [0.8, -0.8, 0.2][class % 3] * (1.0 - 0.1 * layer as f64);
        let size = 0.3 / (1.0 + step as f64 / 100.0) * (1.0 + class as f64 / 3.0);
        (0..8)
            .map(|at| {
                let common = if at < 2 { axis } else { 0.0 };
                size * (common + 0.4 * own.normal() + 0.3 * noise.normal())
            })
            .collect()
    };
    let mut tensors = ProbeTensors {
        classes,
        update: vec![0.0; trained * rows],
        loss: vec![1.0; rows],
        n: (0..rows)
            .map(|row| if missing(row) { 0.0 } else { 8.0 })
            .collect(),
        ..ProbeTensors::default()
    };
    for layer in 0..trained {
        let pieces: Vec<_> = (0..rows).map(|row| gradient(layer, row)).collect();
        for a in &pieces {
            let products = pieces
                .iter()
                .map(|b| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>());
            tensors.gram.extend(products.map(|product| product as f32));
        }
    }
    let priors = vec![1.0 / classes as f64; classes];
    let summary = |rows: &[usize]| {
        let gram = tensors.gram_of(rows);
        gram.map_or_else(Default::default, |gram| gram.summary(&priors))
    };
    let probe = Probe {
        step,
        epoch,
        file: String::new(),
        layers: (0..trained).map(|row| summary(&[row])).collect(),
        backbone: summary(&(0..trained - 1).collect::<Vec<_>>()),
        classifier: summary(&[trained - 1]),
    };
    (probe, tensors)
}

fn options(size: [f32; 2], dark: bool) -> export::Options {
    export::Options {
        size,
        scale: 1.0,
        dark,
    }
}

/// The whole of it, and what can be missing.
fn samples() -> Vec<(&'static str, Sample)> {
    let mut unread = Sample::new(6, 3);
    unread.probes.clear();
    let mut narrower = Sample::new(6, 2);
    // As if the log and the file were of two runs: more layers in the table than in the tensors.
    let cut = Arc::new(ProbeTensors {
        update: Vec::new(),
        gram: Vec::new(),
        ..ProbeTensors::clone(&narrower.probes[&30])
    });
    narrower.probes.insert(30, cut);
    vec![
        ("no header", Sample::empty()),
        ("header alone", Sample::started(6)),
        ("one moment", Sample::new(6, 1)),
        ("one class", Sample::new(1, 3)),
        ("two classes", Sample::new(2, 3)),
        ("six classes", Sample::new(6, 8)),
        ("thirteen classes", Sample::new(13, 3)),
        ("a hundred classes", Sample::new(100, 1)),
        ("probes not read", unread),
        ("tensors cut short", narrower),
    ]
}

#[test]
fn every_figure_of_every_run_is_drawn_at_every_size() {
    for (what, sample) in samples() {
        let views = [
            View::default(),
            View {
                scope: Scope::Layer("branch2.conv2".to_owned()),
                step: Some(35),
                pair: Some((0, 2)),
                ..View::default()
            },
            // What another run on screen may have selected, and this one lacks.
            View {
                scope: Scope::Group("branch9".to_owned()),
                step: Some(1_000_000),
                pair: Some((0, 500)),
                ..View::default()
            },
        ];
        for (i, view) in views.iter().enumerate() {
            for &kind in Kind::ALL {
                for size in [
                    [120.0, 80.0],
                    [16.0, 16.0],
                    [420.0, 300.0],
                    [1600.0, 1200.0],
                ] {
                    // The large ones differ in nothing but their size.
                    if size[0] > 1000.0 && i != 1 {
                        continue;
                    }
                    let dark = (i + size[0] as usize / 20).is_multiple_of(2);
                    let image = figure_png(kind, sample.subject(), view, &options(size, dark));
                    let expected = (size[0] as u32, size[1] as u32);
                    assert_eq!(image.dimensions(), expected, "{what}, {}", kind.name());
                }
            }
        }
    }
}

/// What is picked when the widget called `label` is clicked.
fn picked(kind: Kind, classes: usize, label: &str) -> Vec<Pick> {
    let sample = Sample::new(classes, 2);
    let view = View::default();
    let draw = move |ui: &mut Ui, picks: &mut Vec<Pick>| {
        let subject = sample.subject();
        picks.extend(figure_ui(ui, kind, subject, &[subject], &view));
    };
    let mut harness = Harness::builder()
        .with_size(vec2(700.0, 400.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    harness.get_by_label(label).click();
    harness.run();
    harness.into_state()
}

#[test]
fn clicks_pick_what_they_are_on() {
    let pair = picked(Kind::ConflictMatrix, 6, "Clean × Bird-drop");
    assert_eq!(pair, [Pick::Pair(0, 2)]);
    // A class has no pair with itself.
    assert_eq!(picked(Kind::ConflictMatrix, 6, "Clean × Clean"), []);
    // Many classes share one widget, whose middle lies on the diagonal.
    assert_eq!(picked(Kind::ConflictMatrix, 41, "Conflict matrix"), []);
    for (label, scope) in [
        ("branch2.gate", Scope::Layer("branch2.gate".to_owned())),
        ("branch1", Scope::Group("branch1".to_owned())),
        ("Backbone", Scope::Backbone),
        ("Whole network", Scope::Network),
    ] {
        let picks = picked(Kind::Architecture, 6, label);
        assert_eq!(picks, [Pick::Scope(scope)], "{label}");
    }
    // Nothing is measured in a pool.
    assert_eq!(picked(Kind::Architecture, 6, "stem.pool"), []);
    let middle = picked(Kind::Loss, 6, Kind::Loss.title());
    assert!(
        matches!(middle[..], [Pick::Step(1..=59)]),
        "{middle:?} of 60 steps"
    );
    let layer = picked(Kind::DepthProfile, 6, Kind::DepthProfile.title());
    assert!(
        matches!(layer[..], [Pick::Scope(Scope::Layer(_))]),
        "{layer:?}"
    );
}

/// A hundred classes in cells of less than a pixel: none of them may vanish.
#[test]
fn a_crowded_matrix_has_all_its_rows() {
    let sample = Sample::new(100, 1);
    let view = View::default();
    let image = figure_png(
        Kind::ConflictMatrix,
        sample.subject(),
        &view,
        &options([340.0, 200.0], false),
    );
    let is_red = |pixel: &image::Rgba<u8>| pixel[0] > pixel[2].saturating_add(60);
    // Left of the colour bar.
    let inside = image.width() / 2..image.width() * 3 / 5;
    let rows: Vec<_> = (0..image.height())
        .filter(|&y| inside.clone().any(|x| is_red(image.get_pixel(x, y))))
        .collect();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        panic!("no red at all");
    };
    assert!(last - first >= 40, "{rows:?}");
    assert!(
        rows.windows(2).all(|pair| pair[1] - pair[0] <= 8),
        "{rows:?}"
    );
}

#[test]
fn runs_side_by_side_share_their_scales() {
    let (short, long) = (Sample::new(6, 2), Sample::new(6, 8));
    let view = View::default();
    let context = egui::Context::default();
    for &kind in Kind::ALL {
        let of = |subjects: &[Subject<'_>]| Scales::of(&context, kind, subjects, &view);
        let both = of(&[short.subject(), long.subject()]);
        assert_eq!(
            both,
            of(&[long.subject(), short.subject()]),
            "{}",
            kind.name()
        );
        if kind == Kind::Loss {
            assert_ne!(both, of(&[short.subject()]));
            assert_eq!(both, of(&[long.subject()]));
        }
    }
}

/// Whatever is remembered from an earlier frame is what would be made anew.
#[test]
fn a_chart_follows_its_run_and_what_is_looked_at() {
    let whole = Sample::new(6, 5);
    let lived = egui::Context::default();
    let mut sample = Sample::started(6);
    let mut events: Vec<Event> = whole.run.steps.iter().cloned().map(Event::Step).collect();
    events.extend(whole.run.evals.iter().cloned().map(Event::Eval));
    events.extend(whole.run.probes.iter().cloned().map(Event::Probe));
    events.sort_by_key(Event::step);
    let twice = events.clone().into_iter().filter(|event| event.step() > 60);
    let resumed = std::iter::once(Event::Resumed { step: 60 });
    for event in events.clone().into_iter().chain(resumed).chain(twice) {
        sample.run.apply(&event);
        // A probe's file is read a little later.
        let read = whole.probes.range(..event.step().saturating_sub(10));
        sample.probes = read.map(|(step, probe)| (*step, probe.clone())).collect();
        for view in [
            View::default(),
            View {
                step: Some(35),
                pair: Some((0, 2)),
                ..View::default()
            },
            View {
                scope: Scope::Group("branch2".to_owned()),
                pair: Some((0, 3)),
                ..View::default()
            },
        ] {
            for &kind in Kind::ALL {
                if matches!(kind, Kind::ConflictMatrix | Kind::Architecture) {
                    continue;
                }
                let chart = |ctx: &egui::Context| {
                    format!("{:?}", curves::chart(ctx, kind, sample.subject(), &view))
                };
                let anew = chart(&egui::Context::default());
                assert_eq!(chart(&lived), anew, "{} after {event:?}", kind.name());
            }
        }
    }
}

/// Writes every figure for a person to look at: `FIGURE_SHOTS=folder cargo test --release --lib figure:: -- --ignored`
#[test]
#[ignore = "writes images for a person to look at"]
fn shots() -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os("FIGURE_SHOTS").map(std::path::PathBuf::from) else {
        println!("skipped: FIGURE_SHOTS names no folder");
        return Ok(());
    };
    std::fs::create_dir_all(&folder)?;
    let view = View {
        scope: Scope::Layer("branch2.conv2".to_owned()),
        step: Some(60),
        pair: Some((0, 2)),
        ..View::default()
    };
    for (classes, moments) in [(2, 3), (6, 9), (12, 30), (100, 2)] {
        let sample = Sample::new(classes, moments);
        for &kind in Kind::ALL {
            for (size, dark) in [([760.0, 520.0], false), ([340.0, 230.0], true)] {
                let image = figure_png(kind, sample.subject(), &view, &options(size, dark));
                let look = if dark { "dark" } else { "light" };
                let name = format!("{}-{classes}-{look}.png", kind.name());
                export::write_png(&folder.join(name), &image)?;
            }
        }
    }
    Ok(())
}

/// Lightness of a colour (CIE L*), roughly what the eye makes of it.
fn lightness(color: egui::Color32) -> f32 {
    let rgba = egui::Rgba::from(color);
    116.0 * (0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b()).cbrt() - 16.0
}

#[test]
fn colours_are_stable_and_seen_on_both_themes() {
    let colors: Vec<_> = (0..12).map(palette::class).collect();
    for a in &colors {
        assert!(
            (30.0..85.0).contains(&lightness(*a)),
            "{a:?} has lightness {}",
            lightness(*a)
        );
    }
    for dark in [false, true] {
        assert_ne!(
            palette::diverging(-1.0, dark),
            palette::diverging(1.0, dark)
        );
        let (low, high) = (
            palette::diverging(-3.0, dark),
            palette::diverging(3.0, dark),
        );
        assert_eq!(
            (low, high),
            (
                palette::diverging(-1.0, dark),
                palette::diverging(1.0, dark)
            )
        );
        let first = palette::class(200);
        assert_eq!(first, palette::class(200));
        for value in [-1.0, -0.4, 0.0, 0.4, 1.0] {
            let background = palette::diverging(value, dark);
            let contrast = (lightness(palette::text_on(background)) - lightness(background)).abs();
            assert!(contrast > 40.0, "text on {value}: {contrast}");
        }
    }
    let rgb = palette::interference(0.25, false);
    assert_ne!(rgb, palette::interference(0.0, false));
}

/// Every figure of two constructed runs, small, light and dark, beside what it looked like when somebody last looked at
/// it. `UPDATE_SNAPSHOTS=1 cargo test --release --lib figures_look` writes them anew: look at them before they are
/// committed.
#[test]
fn figures_look_as_they_did() -> anyhow::Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let (first, second) = (Sample::new(6, 6), Sample::new(6, 8));
    let shown = [
        Subject {
            name: "baseline",
            ..first.subject()
        },
        Subject {
            name: "attention",
            ..second.subject()
        },
    ];
    let view = View {
        scope: Scope::Layer("branch2.conv2".to_owned()),
        step: Some(120),
        pair: Some((0, 4)),
        class: Some(4),
        order: Order::Frequency,
        ..View::default()
    };
    let mut changed = Vec::new();
    for &kind in Kind::ALL {
        for dark in [false, true] {
            let options = options([380.0, 280.0], dark);
            let image = figure_png_among(kind, shown[1], &shown, &view, &options);
            let look = if dark { "dark" } else { "light" };
            let path = folder.join(format!("{}-{look}.png", kind.name()));
            if update {
                std::fs::create_dir_all(&folder)?;
                image.save(&path)?;
                continue;
            }
            let before = image::open(&path)?.to_rgba8();
            anyhow::ensure!(before.dimensions() == image.dimensions(), "{path:?}");
            // Another processor may round the edge of a letter or a line otherwise.
            let differs = |(a, b): &(&image::Rgba<u8>, &image::Rgba<u8>)| {
                let steps = a.0.iter().zip(b.0).map(|(a, b)| a.abs_diff(b));
                steps.max().unwrap_or(0) > 32
            };
            let count = image.pixels().zip(before.pixels()).filter(differs).count();
            if count * 500 > image.pixels().len() {
                changed.push(format!("{} ({count} pixels)", path.display()));
            }
        }
    }
    anyhow::ensure!(changed.is_empty(), "these look otherwise: {changed:?}");
    Ok(())
}
