//! Every figure of constructed runs: at any size, in both themes, and with anything undefined or missing.

use anyhow::Result;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use super::*;
use crate::config::{Attention, RunConfig, Width};
use crate::gradient::gram::ConflictSummary;
use crate::model::Spec;
use crate::random::Random;
use crate::run::event::{End, Eval, Event, Normalise, ProbeSet, Split, Started, Step};

type Probes = BTreeMap<u64, Arc<ProbeTensors>>;

fn started(classes: usize) -> Started {
    let spec = Spec {
        image: [32, 32, 3],
        classes,
        width: Width::Quarter,
        attention: Attention::Branch,
    };
    Started {
        format: 1,
        id: "a run".to_owned(),
        parent: None,
        created_unix_secs: 0,
        code_version: String::new(),
        instruction_set: String::new(),
        config: RunConfig::default(),
        classes: (0..classes).map(|k| format!("Class number {k}")).collect(),
        train_counts: (1..=classes).rev().map(|k| 10 * k).collect(),
        val_counts: vec![5; classes],
        test_counts: vec![5; classes],
        image: [32, 32, 3],
        normalise: Normalise {
            mean: vec![0.5; 3],
            std: vec![0.25; 3],
        },
        layers: spec.layers(),
        probe: ProbeSet {
            pieces: 2,
            counts: vec![vec![4, 4]; classes],
        },
        steps_per_epoch: 10,
        total_steps: 40,
        data_fingerprint: String::new(),
    }
}

fn eval(classes: usize, step: u64, split: Split) -> Eval {
    let confusion = (0..classes)
        .map(|a| (0..classes).map(|b| u64::from(a == b) * step + 1).collect())
        .collect();
    let mut eval = crate::train::metrics::from_confusion(
        confusion,
        split,
        step,
        step as f64 / 10.0,
        Some(2.0 / (1.0 + step as f64)),
    );
    // One class is undefined now and then.
    if step.is_multiple_of(20) {
        eval.f1[0] = None;
    }
    eval
}

/// Gradients of `classes` classes in two pieces each; class 1 has no images, class 2 a gradient of 0.
fn tensors(classes: usize, layers: usize, step: u64) -> ProbeTensors {
    let rows = 2 * classes;
    let mut tensors = ProbeTensors {
        classes,
        loss: vec![1.0; rows],
        n: vec![4.0; rows],
        ..ProbeTensors::default()
    };
    if classes > 3 {
        tensors.n[2] = 0.0;
        tensors.n[3] = 0.0;
    }
    for layer in 0..layers {
        let gradient = |row: usize| -> Vec<f32> {
            let mut random = Random::new(step, "gradient", layer as u64, row as u64);
            let mut class = Random::new(step, "class", layer as u64, row as u64 / 2);
            let zero = classes > 3 && (row / 2 == 2 || row / 2 == 1);
            let value = |own: f64, shared: f64| {
                if zero {
                    0.0
                } else {
                    (0.2 * own + shared) as f32
                }
            };
            (0..6)
                .map(|_| value(random.normal(), class.normal()))
                .collect()
        };
        let gradients: Vec<Vec<f32>> = (0..rows).map(gradient).collect();
        for a in &gradients {
            tensors.gram.extend(
                gradients
                    .iter()
                    .map(|b| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>()),
            );
        }
        tensors.update.extend(vec![0.0; rows]);
    }
    tensors
}

/// A run with `probes` probes and evaluations.
fn run(classes: usize, probes: u64) -> (Run, Probes) {
    let started = started(classes);
    let layers = started
        .layers
        .iter()
        .filter(|layer| layer.gram.is_some())
        .count();
    let mut events = vec![Event::Started(Box::new(started))];
    let mut loaded = BTreeMap::new();
    for i in 0..probes {
        let step = 10 * i;
        let tensors = tensors(classes, layers, step);
        let priors = vec![1.0 / classes as f64; classes];
        let summary = |row: usize| {
            tensors
                .gram_of(&[row])
                .map(|gram| gram.summary(&priors))
                .unwrap_or_default()
        };
        events.push(Event::Eval(eval(classes, step, Split::Val)));
        let loss = (i != 1).then_some(1.0 / (i as f64 + 1.0));
        let step_event = Step {
            step,
            epoch: i as f64,
            images: step,
            wall_secs: i as f64,
            loss,
            lr: 0.1,
            grad_norms: vec![None; layers],
        };
        events.push(Event::Step(step_event));
        events.push(Event::Probe(Probe {
            step,
            epoch: i as f64,
            file: String::new(),
            layers: (0..layers).map(summary).collect(),
            backbone: ConflictSummary::default(),
            classifier: summary(layers - 1),
        }));
        loaded.insert(step, Arc::new(tensors));
    }
    if probes > 2 {
        events.push(Event::Eval(eval(classes, 10 * (probes - 1), Split::Test)));
        events.push(Event::Finished(End {
            step: 10 * (probes - 1),
            message: String::new(),
        }));
    }
    (Run::replay(&events), loaded)
}

fn subject<'a>(run: &'a Run, probes: &'a Probes) -> Subject<'a> {
    Subject {
        name: "constructed",
        run,
        probes,
    }
}

/// Pixels that differ from the background, which is what the corner shows.
fn drawn(image: &image::RgbaImage) -> usize {
    let background = *image.get_pixel(0, 0);
    image.pixels().filter(|pixel| **pixel != background).count()
}

#[test]
fn every_figure_of_every_run_at_every_size() {
    let empty = Run::default();
    let none = BTreeMap::new();
    for (classes, probes) in [(2, 1), (3, 0), (6, 4), (12, 3), (100, 2)] {
        let (run, loaded) = run(classes, probes);
        for (run, probes) in [(&run, &loaded), (&run, &none), (&empty, &none)] {
            for &kind in Kind::ALL {
                for (scope, step, pair) in [
                    (Scope::Backbone, None, None),
                    (
                        Scope::Layer("branch2.gate".to_owned()),
                        Some(15),
                        Some((0, 1)),
                    ),
                    (
                        Scope::Layer("stem.pool".to_owned()),
                        Some(7),
                        Some((classes + 5, 0)),
                    ),
                    (Scope::Network, Some(10_000), Some((classes - 1, 0))),
                ] {
                    let view = View { scope, step, pair };
                    for (size, dark) in [([90.0, 70.0], false), ([420.0, 300.0], true)] {
                        let options = export::Options {
                            size,
                            scale: 1.0,
                            dark,
                        };
                        let image = figure_png(kind, subject(run, probes), &view, &options);
                        assert_eq!(image.dimensions(), (size[0] as u32, size[1] as u32));
                        assert!(
                            drawn(&image) > 20,
                            "{kind:?} of {classes} classes draws nothing"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_same_figure_has_the_same_bytes() {
    let (run, probes) = run(6, 4);
    let view = View {
        pair: Some((0, 5)),
        ..View::default()
    };
    for &kind in Kind::ALL {
        let options = export::Options {
            size: [500.0, 360.0],
            scale: 1.5,
            dark: false,
        };
        let draw = || figure_png(kind, subject(&run, &probes), &view, &options);
        assert!(draw() == draw(), "{kind:?}");
    }
}

/// What a click in a figure selects, by the name that assistive technology reads.
fn clicked(kind: Kind, label: &str) -> Result<Option<Pick>> {
    let (run, probes) = run(6, 4);
    let mut picked = None;
    let mut harness = Harness::builder()
        .with_size(egui::vec2(700.0, 500.0))
        .build_ui(|ui| {
            let view = View::default();
            let scales = Scales::of(ui.ctx(), kind, &[subject(&run, &probes)], &view);
            if let Some(pick) = figure_ui(ui, kind, subject(&run, &probes), &view, &scales) {
                picked = Some(pick);
            }
        });
    harness.run();
    harness.get_by_label(label).click();
    harness.run();
    drop(harness);
    Ok(picked)
}

#[test]
fn clicks_select() -> Result<()> {
    let pair = clicked(Kind::ConflictMatrix, "Class number 4 × Class number 0")?;
    assert_eq!(pair, Some(Pick::Pair(4, 0)));
    assert_eq!(
        clicked(Kind::ConflictMatrix, "Class number 3 × Class number 3")?,
        None,
        "no pair with itself"
    );
    let layer = clicked(Kind::Architecture, "branch3.conv2")?;
    assert_eq!(
        layer,
        Some(Pick::Scope(Scope::Layer("branch3.conv2".to_owned())))
    );
    assert_eq!(
        clicked(Kind::Architecture, "branch1")?,
        Some(Pick::Scope(Scope::Group("branch1".to_owned())))
    );
    assert_eq!(
        clicked(Kind::Architecture, "Whole network")?,
        Some(Pick::Scope(Scope::Network))
    );
    assert!(matches!(
        clicked(Kind::ClassF1, Kind::ClassF1.title())?,
        Some(Pick::Step(_))
    ));
    assert!(matches!(
        clicked(Kind::DepthProfile, Kind::DepthProfile.title())?,
        Some(Pick::Scope(_))
    ));
    Ok(())
}

#[test]
fn two_runs_share_their_scales() -> Result<()> {
    let ((one, one_probes), (other, other_probes)) = (run(6, 3), run(6, 5));
    let ctx = egui::Context::default();
    let view = View {
        pair: Some((0, 4)),
        ..View::default()
    };
    for &kind in Kind::ALL {
        let subjects = [subject(&one, &one_probes), subject(&other, &other_probes)];
        let both = Scales::of(&ctx, kind, &subjects, &view);
        assert_eq!(
            both,
            Scales::of(&ctx, kind, &[subjects[1], subjects[0]], &view)
        );
    }
    Ok(())
}

/// Lightness of a colour (CIE L*), roughly what the eye makes of it.
fn lightness(color: egui::Color32) -> f32 {
    let rgba = egui::Rgba::from(color);
    116.0 * (0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b()).cbrt() - 16.0
}

#[test]
fn colours_are_stable_distinct_and_seen_on_both_themes() -> Result<()> {
    let colors: Vec<_> = (0..12).map(palette::class).collect();
    for (i, a) in colors.iter().enumerate() {
        for b in &colors[..i] {
            let distance: i32 = a
                .to_array()
                .iter()
                .zip(b.to_array())
                .map(|(x, y)| (i32::from(*x) - i32::from(y)).abs())
                .sum();
            assert!(distance > 60, "{a:?} and {b:?}");
        }
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
    Ok(())
}
