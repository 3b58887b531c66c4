use anyhow::{Context as _, Result};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::class_balance::{effective_number, inverse_frequency};
use crate::figure::facts::what_if::{length, shares};
use crate::figure::look::view::Surgery;
use crate::figure::table::Value;
use crate::figure::testing::{picked, recorded};
use crate::figure::{Kind, figure_ui, style};
use crate::run::Scope;
use crate::vectors::{numbers, section};

/// Section `class_weights`: the inline code of the reference repositories.
#[test]
fn preset_weights_are_those_of_the_reference() -> Result<()> {
    let section = section("class_weights")?;
    for case in section["cases"].as_array().context("cases")? {
        let counts: Vec<usize> = serde_json::from_value(case["counts"].clone())?;
        let near = |got: Vec<f64>, wanted: Vec<f64>| {
            assert_eq!(got.len(), wanted.len());
            let near = |(x, y): (&f64, &f64)| (x - y).abs() < 1e-9 * y.max(1.0);
            assert!(got.iter().zip(&wanted).all(near), "{got:?}, {wanted:?}");
        };
        near(
            inverse_frequency(&counts),
            numbers(&case["inverse_frequency_sum_to_C"])?,
        );
        near(
            effective_number(&counts, 0.999),
            numbers(&case["class_balanced_sum_to_C"]["0.999"])?,
        );
    }
    assert_eq!(inverse_frequency(&[3, 0]), [2.0, 0.0]);
    Ok(())
}

#[test]
fn only_the_ratios_of_weights_count() -> Result<()> {
    let sample = recorded("solar-branch")?;
    let moment = Moment::new(sample.subject(), &View::default()).context("moment")?;
    let under = |weights: &[f64], surgery| {
        let weights = weights.to_vec();
        moment.under(&WhatIf { weights, surgery })
    };
    let shares = |weights: &[f64]| {
        let weights = weights.to_vec();
        let what_if = WhatIf {
            weights,
            surgery: Surgery::None,
        };
        shares(&moment.gram, &moment.plain, &what_if).context("shares")
    };
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-12);
    assert!(close(&shares(&[])?, &moment.plain));
    assert!(close(&shares(&[0.2; 6])?, &moment.plain));
    // Weights for another number of classes do not apply.
    assert!(close(&shares(&[0.2, 7.0])?, &moment.plain));
    let started = sample.run.started.as_ref().context("header")?;
    let even = shares(&inverse_frequency(&started.train_counts))?;
    assert!(close(&even, &[1.0 / 6.0; 6]));
    assert!(under(&[0.0; 6], Surgery::None).is_none());
    let as_trained = under(&[], Surgery::None).context("outcome")?;
    for (x, y) in as_trained.effects.iter().zip(&moment.trained) {
        let (x, y) = (x.context("effect")?, y.context("effect")?);
        assert!((x.nats - y.nats).abs() < 1e-9 * y.nats.abs());
    }
    assert!((as_trained.length.context("length")? - 1.0).abs() < 1e-9);
    // More weight on the rarest class helps it more, or hurts it less.
    let rarest = under(&[1.0, 1.0, 1.0, 1.0, 9.0, 1.0], Surgery::None).context("outcome")?;
    let nats = |outcome: &Outcome| outcome.effects[4].map(|effect| effect.nats);
    assert!(nats(&rarest) < nats(&as_trained));
    Ok(())
}

/// Before training classes conflict most; surgery then changes the step, with the same result every time.
#[test]
fn surgery_changes_the_step() -> Result<()> {
    let sample = recorded("solar-branch")?;
    let view = View {
        scope: Scope::Network,
        step: Some(sample.middle()),
        ..View::default()
    };
    let moment = Moment::new(sample.subject(), &view).context("moment")?;
    let steps = |surgery| {
        let what_if = WhatIf {
            weights: Vec::new(),
            surgery,
        };
        shares(&moment.gram, &moment.plain, &what_if).context("shares")
    };
    let (plain, projected, aligned) = (
        steps(Surgery::None)?,
        steps(Surgery::PcGrad)?,
        steps(Surgery::AlignedMtl)?,
    );
    assert!(plain != projected && plain != aligned && projected != aligned);
    assert_eq!(projected, steps(Surgery::PcGrad)?);
    // PCGrad adds parts of the gradients that others conflict with, and takes nothing away.
    assert!(plain.iter().zip(&projected).all(|(x, y)| y >= x));
    // Aligned gradients all have the length of the smallest singular value: a shorter step.
    assert!(length(&moment.gram, &aligned) < length(&moment.gram, &plain));
    Ok(())
}

#[test]
fn clicks_and_keys_choose_weights_and_surgery() -> Result<()> {
    let view = View::default();
    let of = |label: &str| -> Result<WhatIf> {
        match picked(Kind::WhatIf, &view, &[label])?.pop() {
            Some(Pick::WhatIf(what_if)) => Ok(what_if),
            other => anyhow::bail!("{label} picks {other:?}"),
        }
    };
    assert_eq!(of("As trained")?, WhatIf::default());
    let inverse = of("Inverse frequency")?;
    assert_eq!((inverse.weights.len(), inverse.surgery), (6, Surgery::None));
    assert!(inverse.weights[4] > 2.0 && inverse.weights[0] < 0.5);
    let effective = of("Effective number")?;
    assert!(effective.weights[4] > 1.0 && effective.weights[4] < inverse.weights[4]);
    assert_eq!(of("PCGrad")?.surgery, Surgery::PcGrad);
    assert_eq!(of("Aligned-MTL")?.surgery, Surgery::AlignedMtl);

    let sample = recorded("solar-branch")?;
    let draw = |ui: &mut Ui, view: &mut View| {
        let subject = sample.subject();
        if let Some(Pick::WhatIf(what_if)) = figure_ui(ui, Kind::WhatIf, subject, &[subject], view)
        {
            view.what_if = what_if;
        }
    };
    let mut harness = Harness::builder()
        .with_size(vec2(760.0, 420.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, View::default());
    harness.run();
    harness.get_by_label("Weight of Dusty").focus();
    harness.run();
    harness.key_press(egui::Key::ArrowRight);
    harness.run();
    let weights = &harness.state().what_if.weights;
    assert!(weights.len() == 6 && weights[1] > 1.0, "{weights:?}");
    assert!([0, 2, 3, 4, 5].iter().all(|&k| weights[k] == 1.0));
    harness.get_by_label("As trained").click();
    harness.run();
    assert!(harness.state().what_if.weights.is_empty());
    Ok(())
}

/// The table has the numbers that are drawn, and follows weights, moment and part of the network.
#[test]
fn the_table_follows_weights_moment_and_part() -> Result<()> {
    let sample = recorded("solar-branch")?;
    let of = |weights: &[f64], step, scope| {
        let view = View {
            step,
            scope,
            what_if: WhatIf {
                weights: weights.to_vec(),
                surgery: Surgery::None,
            },
            ..View::default()
        };
        table(sample.subject(), &view)
    };
    let weights = [1.0, 2.0, 0.5, 1.0, 4.0, 0.0];
    let middle = Some(sample.middle());
    let tables = [
        of(&[], None, Scope::Backbone),
        of(&weights, None, Scope::Backbone),
        of(&weights, middle, Scope::Backbone),
        of(&weights, middle, Scope::Network),
        of(&[0.0; 6], None, Scope::Network),
    ];
    for (i, table) in tables.iter().enumerate() {
        assert_eq!(table.rows.len(), 6);
        assert!(
            table
                .rows
                .iter()
                .all(|row| row.len() == table.columns.len())
        );
        assert!(tables[..i].iter().all(|other| other != table));
    }
    let step = sample.run.probes.last().context("a probe")?.step;
    assert_eq!(tables[1].rows[4][8], Value::from(step));
    assert_eq!(tables[1].rows[4][1], Value::Number(4.0));
    assert_eq!(tables[4].rows[0][4], Value::None, "no step, no effect");
    assert_eq!(
        tables[0].rows[0][2], tables[1].rows[0][2],
        "as trained stays"
    );
    Ok(())
}
