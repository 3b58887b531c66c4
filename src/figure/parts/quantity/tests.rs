//! Values of quantities against sums written out, and the two figures that are coloured by them.

use egui::{Event, Modifiers, PointerButton, Pos2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::figure::facts::quantity::decades;
use crate::figure::testing::{recorded, view};
use crate::figure::{Kind, figure_png, figure_ui, style};
use crate::gradient::gram::ThirdsConflict;
use crate::run::event::Layer;
use crate::run::probes::Probes;
use crate::run::{Run, Scope};

fn subject(run: &Run) -> Subject<'_> {
    static NONE: Probes = Probes::new();
    Subject {
        name: "test",
        run,
        probes: &NONE,
    }
}

fn image(kind: Kind, run: &Run, view: &View) -> image::RgbaImage {
    let options = crate::figure::export::Options {
        size: [700.0, 420.0],
        scale: 1.0,
        dark: false,
    };
    figure_png(kind, subject(run), view, &options)
}

/// The picks after a click on the widget called `label`, at a share of its width and height.
fn clicked(kind: Kind, run: &Run, view: &View, label: &str, share: [f32; 2]) -> Vec<Pick> {
    let draw = |ui: &mut Ui, picks: &mut Vec<Pick>| {
        let subject = subject(run);
        picks.extend(figure_ui(ui, kind, subject, &[subject], view));
    };
    let mut harness = Harness::builder()
        .with_size(vec2(800.0, 500.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    let rect = harness.get_by_label(label).rect();
    let at: Pos2 = rect.min + rect.size() * vec2(share[0], share[1]);
    for event in [true, false].map(|pressed| Event::PointerButton {
        pos: at,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    }) {
        harness.event(Event::PointerMoved(at));
        harness.event(event);
        // With more frames the click would be a long press.
        harness.step();
    }
    harness.into_state()
}

#[test]
fn values_are_those_of_their_definitions() {
    let summary = ConflictSummary {
        norm: vec![Some(3.0), Some(4.0), None, Some(12.0)],
        interference: Some(0.25),
        pairs: 6,
        resolved: 4,
        conflicting: 1,
        thirds: Some(Box::new(ThirdsConflict {
            head_tail: PairsConflict {
                interference: Some(0.4),
                ..PairsConflict::default()
            },
            head_head: PairsConflict {
                interference: Some(0.1),
                ..PairsConflict::default()
            },
            ..ThirdsConflict::default()
        })),
        ..ConflictSummary::default()
    };
    let classes = Classes {
        one: Some(1),
        head: vec![0, 3],
        tail: vec![1, 2],
    };
    let values = Quantity::ALL.map(|quantity| classes.value(quantity, &summary));
    // 1 of 4 resolved pairs; 16 / (9 + 16 + 144).
    let expected = [Some(0.25), Some(0.25), Some(4.0), Some(16.0 / 169.0)];
    assert_eq!(values[..4], expected);
    // √(3 · 12) / 4: class 2 has no norm.
    assert!(
        values[4].is_some_and(|x| (x - 1.5).abs() < 1e-12),
        "{values:?}"
    );
    assert_eq!(values[5..], [Some(0.4), None, Some(0.1)]);
    let nothing = ConflictSummary::default();
    assert_eq!(Quantity::ALL.map(|x| classes.value(x, &nothing)), [None; 8]);
}

/// Six classes with 1260, 810, 630, 450, 126 and 540 images.
#[test]
fn the_tail_is_the_rarest_third() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let classes = Classes::of(recorded.subject(), &View::default());
    assert_eq!((classes.one, classes.tail), (Some(4), vec![4, 3]));
    let selected = Classes::of(
        recorded.subject(),
        &View {
            class: Some(2),
            ..View::default()
        },
    );
    assert_eq!(selected.one, Some(2));
    Ok(())
}

#[test]
fn a_click_goes_to_a_layer_at_a_moment() -> anyhow::Result<()> {
    let run = recorded("solar-branch")?.run;
    let layers: Vec<Layer> = run.started.iter().flat_map(|x| x.layers.clone()).collect();
    let trained: Vec<&Layer> = layers.iter().filter(|x| x.gram.is_some()).collect();
    // Above the layers lies the row of the backbone with a gap, 27 of about 440 points.
    let above = 27.0 / 440.0;
    let columns = run.probes.len() as f32;
    for (row, column) in [(0, 0), (3, 7), (trained.len() - 1, run.probes.len() - 1)] {
        let down = (row as f32 + 0.5) / trained.len() as f32;
        let share = [
            (column as f32 + 0.5) / columns,
            above + (1.0 - above) * down,
        ];
        let picks = clicked(Kind::DepthTime, &run, &view(), "Layers by moment", share);
        let scope = Scope::Layer(trained[row].name.clone());
        assert_eq!(picks, [Pick::ScopeAt(scope, run.probes[column].step)]);
    }
    let last = run.probes.len() - 1;
    let share = [(last as f32 + 0.5) / columns, 0.3 * above];
    let backbone = clicked(Kind::DepthTime, &run, &view(), "Layers by moment", share);
    let step = run.probes[last].step;
    assert_eq!(backbone, [Pick::ScopeAt(Scope::Backbone, step)]);
    let name = clicked(Kind::DepthTime, &run, &view(), "branch3.bn1", [0.5, 0.5]);
    let scope = Scope::Layer("branch3.bn1".to_owned());
    assert_eq!(name, [Pick::Scope(scope)]);
    Ok(())
}

#[test]
fn figures_follow_moment_selection_and_quantity() -> anyhow::Result<()> {
    let run = recorded("solar-branch")?.run;
    for kind in [Kind::DepthTime, Kind::Architecture] {
        let first = image(kind, &run, &view());
        let others = [
            View {
                step: Some(0),
                ..view()
            },
            View {
                scope: Scope::Group("fuse".to_owned()),
                ..view()
            },
            View {
                quantity: Quantity::ConflictRate,
                ..view()
            },
            View {
                quantity: Quantity::ClassNorm,
                ..view()
            },
            View {
                quantity: Quantity::TailShare,
                ..view()
            },
            View {
                quantity: Quantity::HeadToTail,
                ..view()
            },
        ];
        for other in others {
            assert!(image(kind, &run, &other) != first, "{kind:?} {other:?}");
        }
    }
    let other = |class| View {
        quantity: Quantity::ClassNorm,
        class,
        ..view()
    };
    let [one, two] = [other(Some(0)), other(Some(4))].map(|x| image(Kind::DepthTime, &run, &x));
    assert!(one != two, "the class selected");
    Ok(())
}

/// All runs on screen share the scale.
#[test]
fn a_second_run_widens_the_scale() -> anyhow::Result<()> {
    let view = View {
        quantity: Quantity::ClassNorm,
        ..View::default()
    };
    let run = recorded("solar-branch")?.run;
    let mut louder = run.clone();
    for norm in louder
        .probes
        .iter_mut()
        .flat_map(|x| x.layers.iter_mut().chain([&mut x.backbone]))
        .flat_map(|x| &mut x.norm)
    {
        *norm = norm.map(|x| 1e6 * x);
    }
    let alone = decades(&[subject(&run)], &view);
    let both = decades(&[subject(&run), subject(&louder)], &view);
    assert_eq!(both, (alone.0, alone.1 + 6.0));
    Ok(())
}

/// Runs without a header, without a probe, with one probe, with nothing defined, with one class, and with a hundred
/// times as many probes.
#[test]
fn unusual_runs_are_drawn() -> anyhow::Result<()> {
    let run = recorded("solar-branch")?.run;
    let mut unprobed = run.clone();
    unprobed.probes.clear();
    let mut single = run.clone();
    single.probes.truncate(1);
    let mut undefined = run.clone();
    for probe in &mut undefined.probes {
        probe
            .layers
            .iter_mut()
            .for_each(|x| *x = ConflictSummary::default());
    }
    let mut lone = run.clone();
    if let Some(started) = &mut lone.started {
        started.classes.truncate(1);
        started.train_counts.truncate(1);
    }
    for layer in lone.probes.iter_mut().flat_map(|x| &mut x.layers) {
        layer.norm.truncate(1);
        layer.interference = None;
        (layer.pairs, layer.resolved, layer.conflicting) = (0, 0, 0);
    }
    let mut long = run.clone();
    long.probes = (0..500)
        .map(|i| Probe {
            step: i,
            ..run.probes[i as usize % run.probes.len()].clone()
        })
        .collect();
    let runs = [Run::default(), unprobed, single, undefined, lone, long];
    for kind in [Kind::DepthTime, Kind::Architecture] {
        for quantity in Quantity::ALL {
            let view = View { quantity, ..view() };
            let images = runs.iter().map(|run| image(kind, run, &view));
            for image in images {
                let first = image.get_pixel(0, 0);
                assert!(
                    image.pixels().any(|pixel| pixel != first),
                    "{kind:?} is blank"
                );
            }
        }
    }
    Ok(())
}

/// A chain of twenty layers in one block, without branches: all boxes can be reached, in order, and none covers
/// another.
#[test]
fn a_chain_is_a_row_of_boxes() -> anyhow::Result<()> {
    let mut run = recorded("solar-none")?.run;
    let name = |i: usize| format!("chain.conv{i:02}");
    if let Some(started) = &mut run.started {
        let layer = |i: usize| Layer {
            name: name(i),
            group: "chain".to_owned(),
            kind: "conv".to_owned(),
            shape: vec![8, 8, 8],
            params: 10,
            inputs: (i > 0).then(|| name(i - 1)).into_iter().collect(),
            gram: Some(i),
        };
        started.layers = (0..20).map(layer).collect();
    }
    for probe in &mut run.probes {
        let first = probe.layers[0].clone();
        probe.layers.resize(20, first);
    }
    let view = View::default();
    let draw = |ui: &mut Ui, picks: &mut Vec<Pick>| {
        let subject = subject(&run);
        picks.extend(figure_ui(
            ui,
            Kind::Architecture,
            subject,
            &[subject],
            &view,
        ));
    };
    let mut harness = Harness::builder()
        .with_size(vec2(800.0, 200.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    let boxes: Vec<_> = (0..20)
        .map(|i| harness.get_by_label(&name(i)).rect())
        .collect();
    for pair in boxes.windows(2) {
        assert!(pair[0].right() <= pair[1].left(), "{pair:?}");
    }
    let is_inside = |rect: &Rect| rect.left() >= 0.0 && rect.right() <= 800.0 && rect.width() > 5.0;
    assert!(boxes.iter().all(is_inside), "{boxes:?}");
    harness.get_by_label(&name(12)).click();
    harness.run();
    assert_eq!(harness.state()[..], [Pick::Scope(Scope::Layer(name(12)))]);
    Ok(())
}

#[test]
fn the_quantity_is_chosen_from_a_list() -> anyhow::Result<()> {
    let run = recorded("solar-branch")?.run;
    let view = View::default();
    for kind in [Kind::Architecture, Kind::DepthTime] {
        let draw = |ui: &mut Ui, picks: &mut Vec<Pick>| {
            let subject = subject(&run);
            picks.extend(figure_ui(ui, kind, subject, &[subject], &view));
        };
        let mut harness = Harness::builder()
            .with_size(vec2(800.0, 500.0))
            .with_context_setup(style::install)
            .build_ui_state(draw, Vec::new());
        harness.run();
        harness.get_by_label("Coloured by").click();
        harness.run();
        harness.get_by_label("Share of rare classes").click();
        harness.run();
        assert_eq!(harness.state()[..], [Pick::Quantity(Quantity::TailShare)]);
    }
    Ok(())
}

#[test]
fn tables_have_a_row_for_every_layer_at_every_probe() -> anyhow::Result<()> {
    let run = recorded("solar-branch")?.run;
    let all = crate::figure::conflicts::depth_time::table(subject(&run), &view());
    assert_eq!(all.rows.len(), 23 * run.probes.len());
    let now = crate::figure::conflicts::network::table(subject(&run), &view());
    assert_eq!(now.rows.len(), 23);
    // The last probe before step 300 is that of step 288.
    assert!(now.rows.iter().all(|row| row[0] == Value::Number(288.0)));
    assert!(now.rows.iter().all(|row| all.rows.contains(row)));
    Ok(())
}

/// A log of an older version, without tensors, and a run whose classes are equally frequent.
#[test]
fn the_figures_say_why_conflict_of_thirds_is_undefined() -> anyhow::Result<()> {
    let mut run = recorded("solar-branch")?.run;
    let view = View {
        quantity: Quantity::HeadAgainstTail,
        ..view()
    };
    let probes = run.probes.len();
    let why = |run: &Run| undefined(subject(run), &view, &run.probes).unwrap_or_default();
    let all = format!("{probes} of {probes} probes: not in this log");
    assert!(why(&run).starts_with(&all), "{}", why(&run));
    for probe in &mut run.probes {
        probe.backbone.thirds = Some(Box::default());
    }
    assert_eq!(why(&run), "");
    if let Some(started) = &mut run.started {
        started.train_counts.fill(10);
    }
    assert!(why(&run).starts_with("undefined: the classes are equally frequent"));
    Ok(())
}
