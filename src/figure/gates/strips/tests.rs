//! Gates of constructed and recorded probes.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::figure::testing::{recorded, tensors, view};
use crate::figure::{Kind, Order, export, figure_png, figure_ui, style};
use crate::run::probes::Probes;

/// Columns stay where they are when the cursor moves.
#[test]
fn channels_keep_their_order_over_time() {
    let early = tensors(2, &[("branch1.gate", vec![0.1, 0.5, 0.9, 0.5])]);
    let newest = tensors(2, &[("branch1.gate", vec![0.5, 0.1, 0.5, 0.9])]);
    let own = Shown::new(&early);
    assert_eq!(own.branches[0].channels, [0, 1]);
    let shown = own.sorted_as_at(7, &newest);
    assert_eq!(
        (&shown.branches[0].channels[..], shown.sorted_at),
        (&[1, 0][..], Some(7))
    );
    // Gates of another width give no order.
    let other = tensors(2, &[("branch1.gate", vec![0.5, 0.1])]);
    assert_eq!(Shown::new(&early).sorted_as_at(7, &other).sorted_at, None);
}

fn image(subject: Subject<'_>, view: &View) -> image::RgbaImage {
    let options = export::Options {
        size: [700.0, 420.0],
        scale: 1.0,
        dark: true,
    };
    figure_png(Kind::Gates, subject, view, &options)
}

/// Two classes have gates, the third has no images: means and standard deviations by hand.
#[test]
fn channels_in_which_classes_differ_most_come_first() {
    let values = [0.5, 0.1, 0.4, 0.5, 0.9, 0.6, f32::NAN, f32::NAN, f32::NAN];
    let branch = Branch::new("branch1.gate", &values, 3);
    let branch = branch.unwrap();
    assert_eq!(branch.channels, [1, 2, 0]);
    let near = |x: Option<f64>, y: f64| x.is_some_and(|x| (x - y).abs() < 1e-6);
    assert!(near(branch.mean, 0.5));
    // Of two values, the standard deviation is their distance over √2.
    assert!(near(branch.spread, (0.8 + 0.2) / 2_f64.sqrt() / 3.0));
    assert_eq!((branch.gate(2, 0), branch.gate(3, 0)), (None, None));
    assert!(Branch::new("cut short", &values[..8], 3).is_none());
    let alone = Branch::new("one class", &values[..3], 1).unwrap();
    assert_eq!((alone.channels.len(), alone.spread), (3, None));
}

#[test]
fn the_figure_follows_moment_class_and_order() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let first = image(subject, &view());
    for other in [
        View {
            step: Some(0),
            ..view()
        },
        View {
            class: Some(0),
            ..view()
        },
        View {
            order: Order::Frequency,
            ..view()
        },
        View {
            order: Order::Similarity(subject.classes().iter().rev().cloned().collect()),
            ..view()
        },
    ] {
        assert!(image(subject, &other) != first, "{other:?}");
    }
    // An order of other classes does not apply to these.
    let foreign = View {
        order: Order::Similarity(vec!["Cat".to_owned(); 6]),
        ..view()
    };
    assert!(image(subject, &foreign) == first);
    Ok(())
}

#[test]
fn a_click_selects_the_class() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let view = View {
        order: Order::Frequency,
        ..view()
    };
    let mut harness = Harness::builder()
        .with_size(vec2(800.0, 400.0))
        .with_context_setup(style::install)
        .build_ui_state(
            |ui: &mut Ui, picks: &mut Vec<Pick>| {
                picks.extend(figure_ui(ui, Kind::Gates, subject, &[subject], &view));
            },
            Vec::new(),
        );
    harness.run();
    harness.get_by_label("Bird-drop").click();
    harness.run();
    // The rows are in order of 1260, 810, 630, 540, 450 and 126 images: the fourth is class 5.
    let strip = harness.get_by_label("Gates of branch2").rect();
    let at = strip.lerp_inside(vec2(0.5, 3.5 / 6.0));
    for pressed in [true, false] {
        harness.event(egui::Event::PointerMoved(at));
        harness.event(egui::Event::PointerButton {
            pos: at,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        // With more frames the click would be a long press.
        harness.step();
    }
    assert_eq!(harness.state()[..], [Pick::Class(2), Pick::Class(5)]);
    Ok(())
}

#[test]
fn where_nothing_can_be_drawn_a_sentence_says_why() -> anyhow::Result<()> {
    let (with, without) = (recorded("solar-branch")?, recorded("solar-none")?);
    let none = Probes::new();
    let unread = Subject {
        probes: &none,
        ..with.subject()
    };
    let empty = crate::run::Run::default();
    let empty = Subject {
        name: "empty",
        run: &empty,
        probes: &none,
    };
    for (subject, sentence) in [
        (
            without.subject(),
            "This network has no gates; train one with branch attention.",
        ),
        (
            unread,
            "The probe of step 288 is being read, or its file is missing.",
        ),
        (empty, "The first probe comes before the first step."),
    ] {
        let view = view();
        let mut harness = Harness::builder()
            .with_context_setup(style::install)
            .build_ui(|ui: &mut Ui| {
                figure_ui(ui, Kind::Gates, subject, &[subject], &view);
            });
        harness.run();
        assert!(harness.query_by_label(sentence).is_some(), "{sentence}");
    }
    Ok(())
}

#[test]
fn the_table_has_every_gate() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let table = table(subject, &view());
    let gates = &subject.probes.whole[&288].gates;
    let count: usize = gates.values().map(Vec::len).sum();
    assert!(count > 0);
    assert_eq!(table.rows.len(), count);
    let sum: f64 = gates.values().flatten().map(|x| f64::from(*x)).sum();
    let written = table.rows.iter().filter_map(|row| match row[5] {
        Value::Number(gate) => Some(gate),
        _ => None,
    });
    assert!((written.sum::<f64>() - sum).abs() < 1e-6);
    Ok(())
}
