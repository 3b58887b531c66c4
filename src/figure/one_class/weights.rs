//! Class weights, and ways to handle gradients in conflict, to choose from.

use egui::Ui;

use crate::class_balance::{effective_number, inverse_frequency};
use crate::figure::facts::what_if::weights_of;
use crate::figure::kit::memo::is_exporting;
use crate::figure::look::pick::Pick;
use crate::figure::look::view::{Surgery, WhatIf};

const PRESETS: [(&str, &str); 3] = [
    ("As trained", "Every class's images count as in training"),
    (
        "Inverse frequency",
        "Weights ∝ 1/n, so that every class has the same share of the step, unless training already weights them",
    ),
    (
        "Effective number",
        "Weights ∝ (1 − β)/(1 − β^n) with β = 0.999 (class-balanced loss, Cui et al. 2019)",
    ),
];

/// The weights of a preset; empty for training as it is.
fn preset(i: usize, counts: &[usize]) -> Vec<f64> {
    match i {
        1 => inverse_frequency(counts),
        2 => effective_number(counts, 0.999),
        _ => Vec::new(),
    }
}

/// Whether weights are those of a preset.
fn is_preset(i: usize, counts: &[usize], what_if: &WhatIf) -> bool {
    let preset = WhatIf {
        weights: preset(i, counts),
        surgery: Surgery::None,
    };
    let (have, want) = (
        weights_of(what_if, counts.len()),
        weights_of(&preset, counts.len()),
    );
    have.iter().zip(want).all(|(x, y)| (x - y).abs() < 1e-6)
}

pub(in crate::figure) fn preset_name(counts: &[usize], what_if: &WhatIf) -> &'static str {
    let found = (0..PRESETS.len()).find(|&i| is_preset(i, counts, what_if));
    found.map_or("Weights as listed", |i| PRESETS[i].0)
}

pub(in crate::figure) fn surgery_name(surgery: Surgery) -> &'static str {
    match surgery {
        Surgery::None => "conflicts left alone",
        Surgery::PcGrad => "PCGrad",
        Surgery::AlignedMtl => "Aligned-MTL",
    }
}

/// Every preset with the surgery chosen, and every surgery with the weights chosen, by name.
pub(crate) fn choices(counts: &[usize], what_if: &WhatIf) -> Vec<(&'static str, WhatIf)> {
    let weighed = |i: usize| WhatIf {
        weights: preset(i, counts),
        ..what_if.clone()
    };
    let operated = |surgery| WhatIf {
        surgery,
        ..what_if.clone()
    };
    let presets = (0..PRESETS.len()).map(|i| (PRESETS[i].0, weighed(i)));
    let surgeries = [Surgery::None, Surgery::PcGrad, Surgery::AlignedMtl];
    let surgeries = surgeries.map(|surgery| (surgery_name(surgery), operated(surgery)));
    presets.chain(surgeries).collect()
}

/// Presets to choose from; an image names the chosen one instead.
pub(in crate::figure) fn weights_ui(
    ui: &mut Ui,
    counts: &[usize],
    what_if: &WhatIf,
) -> Option<Pick> {
    if !is_exporting(ui.ctx()) {
        return presets_ui(ui, counts, what_if);
    }
    let name = preset_name(counts, what_if);
    ui.label(format!("{name} · {}", surgery_name(what_if.surgery)));
    None
}

fn presets_ui(ui: &mut Ui, counts: &[usize], what_if: &WhatIf) -> Option<Pick> {
    let mut picked = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (i, (name, help)) in PRESETS.into_iter().enumerate() {
            let response = ui.selectable_label(is_preset(i, counts, what_if), name);
            if response.on_hover_text(help).clicked() {
                let weights = preset(i, counts);
                let surgery = what_if.surgery;
                picked = Some(WhatIf { weights, surgery });
            }
        }
        ui.separator();
        for (surgery, name, help) in [
            (Surgery::None, "Conflicts left alone", "Gradients are summed as they are"),
            (
                Surgery::PcGrad,
                "PCGrad",
                "Each class's gradient is projected away from those it conflicts with (Yu et al. 2020), in one fixed \
                 random order",
            ),
            (
                Surgery::AlignedMtl,
                "Aligned-MTL",
                "The gradients are made orthogonal, all as long as the smallest singular value (Senushkin et al. 2023): \
                 usually a much shorter step",
            ),
        ] {
            let response = ui.selectable_label(what_if.surgery == surgery, name);
            if response.on_hover_text(help).clicked() {
                let weights = what_if.weights.clone();
                picked = Some(WhatIf { weights, surgery });
            }
        }
    });
    picked.map(Pick::WhatIf)
}
