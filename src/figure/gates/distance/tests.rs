//! Distances of gates, by hand and on screen.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::figure::testing::{recorded, tensors, view};
use crate::figure::{Kind, figure_ui, style};

#[test]
fn distances_are_root_mean_squares_over_all_channels() {
    // Two channels and one; the third class has no images.
    let gates = [
        ("branch1.gate", vec![0.5, 0.1, 0.5, 0.4, f32::NAN, f32::NAN]),
        ("branch2.gate", vec![0.2, 0.8, f32::NAN]),
    ];
    let branches = gates::Shown::new(&tensors(3, &gates)).branches;
    let found = all(&branches, 3);
    let expected = ((0.0 + 0.09 + 0.36) / 3.0_f64).sqrt();
    assert!(
        found[1].is_some_and(|x| (x - expected).abs() < 1e-6),
        "{found:?}"
    );
    assert_eq!((found[1], found[0], found[2]), (found[3], Some(0.0), None));
    let ends = [0.0, 0.013, 0.2, 0.21, 0.6].map(rounded_up);
    assert_eq!(ends, [0.001, 0.02, 0.2, 0.5, 1.0]);
}

#[test]
fn a_click_selects_the_pair() -> anyhow::Result<()> {
    let recorded = recorded("solar-branch")?;
    let subject = recorded.subject();
    let view = view();
    let mut harness = Harness::builder()
        .with_size(egui::vec2(500.0, 400.0))
        .with_context_setup(style::install)
        .build_ui_state(
            |ui: &mut Ui, picks: &mut Vec<Pick>| {
                picks.extend(figure_ui(
                    ui,
                    Kind::GateDistance,
                    subject,
                    &[subject],
                    &view,
                ));
            },
            Vec::new(),
        );
    harness.run();
    let names = subject.classes();
    let cell = format!("Gates of {} and {}", names[0], names[3]);
    harness.get_by_label(&cell).click();
    harness.run();
    assert_eq!(harness.state()[..], [Pick::Pair(0, 3)]);
    Ok(())
}
