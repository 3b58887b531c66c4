use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::figure::facts::mistakes::brushed;
use crate::figure::testing::{recorded, view};
use crate::figure::{Kind, figure_ui, style};

/// Every pair once, with the mistakes that the log counted.
#[test]
fn pairs_have_cosine_and_mistakes() -> anyhow::Result<()> {
    let recorded = recorded("solar-none")?;
    let (subject, view) = (recorded.subject(), view());
    let table = table(subject, &view);
    assert_eq!(table.rows.len(), 15);
    let eval = evaluation(subject, &view).unwrap();
    let names = subject.classes();
    let cosines = crate::figure::conflicts::matrix::table(subject, &view);
    for (row, other) in table.rows.iter().zip(&cosines.rows) {
        assert_eq!(row[..6], other[..6]);
        let class = |value: &Value| {
            names
                .iter()
                .position(|name| Value::from(name.as_str()) == *value)
        };
        let (a, b) = (class(&row[2]).unwrap(), class(&row[3]).unwrap());
        let mistaken = eval.confusion[a][b] + eval.confusion[b][a];
        assert_eq!(row[6], Value::from(mistaken));
        let images = eval.support[a] + eval.support[b];
        assert_eq!(row[7], Value::from(mistaken as f64 / images as f64));
        assert_eq!(row[8], Value::from(eval.step));
    }
    Ok(())
}

/// A rectangle holds the pairs in it, and both matrices mark them.
#[test]
fn brushed_pairs_are_those_in_the_rectangle() -> anyhow::Result<()> {
    let recorded = recorded("solar-none")?;
    let subject = recorded.subject();
    let mut view = view();
    let ctx = Context::default();
    assert!(brushed(&ctx, subject, &view).is_empty());
    view.brush = Some(Brush::between([0.0, 1.0], [-1.0, 0.0]));
    let negative = table(subject, &view);
    let is_negative = |row: &&Vec<Value>| matches!(row[4], Value::Number(x) if x <= 0.0);
    let expected = negative.rows.iter().filter(is_negative).count();
    let held = brushed(&ctx, subject, &view);
    assert!(expected > 0 && held.len() == expected, "{held:?}");
    // Each pair is marked on both sides of the diagonal, besides the selected pair.
    let marked = crate::figure::facts::mistakes::marked(&ctx, subject, &view);
    assert_eq!(marked.len(), 2 * expected + 2);
    Ok(())
}

/// Dragging draws the rectangle; a click beside the points removes it.
#[test]
fn dragging_draws_the_brush_and_a_click_removes_it() -> anyhow::Result<()> {
    let recorded = recorded("solar-none")?;
    let subject = recorded.subject();
    let state = (view(), Vec::new());
    let mut harness = Harness::builder()
        .with_size(egui::vec2(500.0, 400.0))
        .with_context_setup(style::install)
        .build_ui_state(
            |ui: &mut Ui, (view, picks): &mut (View, Vec<Pick>)| {
                let pick = figure_ui(ui, Kind::ConflictConfusion, subject, &[subject], view);
                if let Some(Pick::Brush(brush)) = pick {
                    view.brush = brush;
                }
                picks.extend(pick);
            },
            state,
        );
    harness.run();
    let plot = harness
        .get_by_label("Gradient conflict against confusion")
        .rect();
    let at = |x, y| plot.lerp_inside(egui::vec2(x, y));
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: egui::Modifiers::NONE,
    };
    let (from, to) = (at(0.2, 0.1), at(0.6, 0.5));
    for event in [
        egui::Event::PointerMoved(from),
        button(from, true),
        egui::Event::PointerMoved(at(0.4, 0.3)),
        egui::Event::PointerMoved(to),
        button(to, false),
    ] {
        harness.event(event);
        harness.step();
    }
    let brush = harness.state().0.brush.unwrap();
    assert!(brush.cosine[0] < brush.cosine[1] && brush.mistaken[0] < brush.mistaken[1]);
    let corner = at(0.97, 0.03);
    for event in [
        egui::Event::PointerMoved(corner),
        button(corner, true),
        button(corner, false),
    ] {
        harness.event(event);
        harness.step();
    }
    assert_eq!(harness.state().0.brush, None);
    Ok(())
}

#[test]
fn without_mistakes_or_probes_a_sentence_says_so() -> anyhow::Result<()> {
    let mut recorded = recorded("solar-none")?;
    recorded.run.evals.clear();
    let ctx = Context::default();
    let text = shown(&ctx, recorded.subject(), &view()).unwrap_err();
    assert!(text.contains("evaluation"), "{text}");
    assert!(table(recorded.subject(), &view()).rows.is_empty());
    Ok(())
}
