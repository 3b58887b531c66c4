mod left_out;

use super::*;
use crate::compare::statistics::mean;
use crate::config::{Attention, NormKind, RunConfig};
use crate::gradient::gram::{ConflictSummary, PairsConflict, ThirdsConflict};
use crate::network::{Layer, Normalise};
use crate::run::event::{End, Eval, Event, FORMAT, Probe, ProbeSet, Split, Started, Summaries};
use crate::run::{BatchNorm, Run};

/// A header of two classes and two layers.
pub(in crate::compare) fn started(config: RunConfig) -> Started {
    let layer = |name: &str, gram| Layer {
        name: name.to_owned(),
        group: name.to_owned(),
        kind: "conv".to_owned(),
        shape: vec![1],
        params: 1,
        inputs: Vec::new(),
        gram: Some(gram),
    };
    Started {
        format: FORMAT,
        id: format!("{}-{}", config.attention, config.seed),
        parent: None,
        created_unix_secs: 0,
        code_version: "0".to_owned(),
        instruction_set: "none".to_owned(),
        config,
        classes: vec!["frequent".to_owned(), "rare".to_owned()],
        train_counts: vec![90, 10],
        val_counts: vec![5; 2],
        test_counts: vec![5; 2],
        image: [16, 16, 1],
        normalise: Normalise {
            mean: vec![0.5],
            std: vec![0.5],
        },
        layers: vec![layer("conv", 0), layer("classifier", 1)],
        probe: ProbeSet {
            pieces: 1,
            counts: vec![vec![4]; 2],
            training: Vec::new(),
        },
        steps_per_epoch: 10,
        total_steps: 10,
        recorder: None,
        data_fingerprint: "0".to_owned(),
    }
}

/// A finished run with test F1 scores `f1`; the interference of its layers is 0.1 less than the rare class's F1.
pub(in crate::compare) fn run(attention: Attention, seed: u64, f1: [Option<f64>; 2]) -> Run {
    let config = RunConfig {
        attention,
        seed,
        ..RunConfig::default()
    };
    let mut run = Run::replay([&Event::Started(Box::new(started(config)))]);
    let defined: Vec<_> = f1.iter().flatten().copied().collect();
    let eval = |split| Eval {
        step: 10,
        epoch: 1.0,
        split,
        loss: None,
        accuracy: Some(0.5),
        balanced_accuracy: None,
        macro_f1: mean(&defined),
        macro_f1_classes: defined.len(),
        precision: f1.to_vec(),
        recall: f1.to_vec(),
        f1: f1.to_vec(),
        support: vec![5; 2],
        confusion: vec![vec![0; 2]; 2],
    };
    let summary = ConflictSummary {
        interference: f1[1].map(|x| x - 0.1),
        floor: Some(0.01),
        ..ConflictSummary::default()
    };
    run.apply(&Event::Probe(Probe {
        step: 10,
        epoch: 1.0,
        file: String::new(),
        layers: vec![summary.clone(), summary.clone()],
        backbone: summary.clone(),
        classifier: summary,
        training: None,
    }));
    run.apply(&Event::Eval(eval(Split::Val)));
    run.apply(&Event::Eval(eval(Split::Test)));
    run.apply(&Event::Finished(End {
        step: 10,
        message: String::new(),
    }));
    run
}

/// Runs with and without attention, with the same gain of the rare class for each of `seeds` seeds.
fn pairs(seeds: u64) -> Vec<(String, Run)> {
    let mut runs = Vec::new();
    for seed in 0..seeds {
        let level = 0.2 + 0.01 * seed as f64;
        let gain = 0.1 + 0.01 * (seed % 2) as f64;
        runs.push((
            format!("none-{seed}"),
            run(Attention::None, seed, [Some(0.9), Some(level)]),
        ));
        runs.push((
            format!("branch-{seed}"),
            run(Attention::Branch, seed, [Some(0.9), Some(level + gain)]),
        ));
    }
    runs
}

fn compare(runs: &[(String, Run)], baseline: Option<&str>) -> Result<Comparison, CompareError> {
    let members: Vec<_> = runs
        .iter()
        .map(|(name, run)| Member { name, run })
        .collect();
    Comparison::of(&members, baseline)
}

fn row<'a>(rows: &'a [Row], name: &str) -> &'a Row {
    rows.iter().find(|row| row.name == name).unwrap()
}

/// Macro-F1 is a family of its own. Where all six pairs gain, 2 of the 2⁶ sign patterns lie as far from 0 as the
/// observed one.
#[test]
fn six_seeds_can_show_a_gain_and_five_cannot() -> Result<(), CompareError> {
    let six = compare(&pairs(6), None)?;
    let macro_f1 = &six.headline[0].contrasts[0];
    assert_eq!(macro_f1.corrected_p, Some(2.0 / 64.0));
    assert_eq!(macro_f1.significant, Some(true));
    assert!(
        macro_f1.sentence.contains("higher with attention branch"),
        "{}",
        macro_f1.sentence
    );

    let five = compare(&pairs(5), None)?;
    let macro_f1 = &five.headline[0].contrasts[0];
    assert_eq!(macro_f1.corrected_p, Some(2.0 / 32.0));
    assert_eq!((macro_f1.significant, macro_f1.pairs_needed), (None, 6));
    assert!(
        !macro_f1.sentence.contains("significant"),
        "{}",
        macro_f1.sentence
    );
    assert!(
        macro_f1.sentence.contains("6 seeds would do"),
        "{}",
        macro_f1.sentence
    );
    Ok(())
}

/// The F1 of one of two classes never changes, so its p is 1; the p of the other class is doubled.
#[test]
fn classes_are_a_family_of_their_own() -> Result<(), CompareError> {
    let found = compare(&pairs(6), None)?;
    let rare = &row(&found.per_class, "rare").contrasts[0];
    assert_eq!(rare.paired.as_ref().unwrap().p, Some(2.0 / 64.0));
    assert_eq!(rare.corrected_p, Some(4.0 / 64.0));
    assert_eq!((rare.significant, rare.pairs_needed), (None, 7));
    let frequent = &row(&found.per_class, "frequent").contrasts[0];
    assert_eq!(frequent.corrected_p, Some(1.0));
    Ok(())
}

#[test]
fn the_noise_floor_is_shown_but_not_tested() -> Result<(), CompareError> {
    let found = compare(&pairs(6), None)?;
    let floor = row(&found.headline, "its noise floor");
    assert_eq!(floor.values[0].mean, Some(0.01));
    assert_eq!(
        (&floor.contrasts[0].paired, floor.contrasts[0].corrected_p),
        (&None, None)
    );
    Ok(())
}

/// Logs of older versions lack it, and are compared as before.
#[test]
fn interference_of_head_and_tail_is_compared_where_it_is_recorded() -> Result<(), CompareError> {
    let name = "head-tail interf.";
    let mut runs = pairs(6);
    let without = compare(&runs, None)?;
    assert!(without.headline.iter().all(|row| row.name != name));
    for (_, run) in &mut runs {
        let backbone = &mut run.probes[0].backbone;
        let head_tail = PairsConflict {
            interference: backbone.interference.map(|x| 2.0 * x),
            floor: Some(0.03),
            ..PairsConflict::default()
        };
        backbone.thirds = Some(Box::new(ThirdsConflict {
            head_tail,
            ..ThirdsConflict::default()
        }));
    }
    let with = compare(&runs, None)?;
    let mean = |name: &str| row(&with.headline, name).values[0].mean;
    let [all, head_tail] = ["backbone interference", name].map(|name| mean(name).unwrap());
    assert!((head_tail - 2.0 * all).abs() < 1e-12);
    assert!(row(&with.headline, name).contrasts[0].paired.is_some());
    assert_eq!(mean("head-tail floor"), Some(0.03));
    assert_eq!(
        row(&with.headline, "head-tail floor").contrasts[0].paired,
        None
    );
    Ok(())
}

#[test]
fn runs_without_a_partner_are_left_out_with_a_sentence() -> Result<(), CompareError> {
    let mut runs = pairs(3);
    runs.remove(5);
    runs.push((
        "again".to_owned(),
        run(Attention::None, 0, [Some(0.1), Some(0.1)]),
    ));
    let mut unfinished = run(Attention::Branch, 9, [Some(0.1), Some(0.1)]);
    unfinished.ending = None;
    runs.push(("cut".to_owned(), unfinished));
    let found = compare(&runs, None)?;
    let notes = found.notes.join("\n");
    for part in [
        "cut is left out: it is not finished.",
        "again is left out: it has seed 0 like none-0",
        "Seed 2 is in no pair: attention none has it, attention branch has not.",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
    assert_eq!(found.headline[0].contrasts[0].seeds, [0, 1]);
    assert_eq!(
        found.headline[0].values[0].n, 3,
        "the mean is of every seed"
    );
    Ok(())
}

#[test]
fn pairs_with_undefined_values_are_left_out_and_counted() -> Result<(), CompareError> {
    let mut runs = pairs(3);
    runs[1].1 = run(Attention::Branch, 0, [Some(0.9), None]);
    let found = compare(&runs, None)?;
    let rare = &row(&found.per_class, "rare").contrasts[0];
    assert_eq!(
        (rare.seeds.as_slice(), rare.undefined_pairs),
        (&[1, 2][..], 1)
    );
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.starts_with("rare: a pair is left out"))
    );
    assert_eq!(row(&found.per_class, "rare").values[1].n, 2);
    // No run has a balanced accuracy.
    let balanced = &row(&found.headline, "balanced accuracy").contrasts[0];
    assert_eq!((&balanced.paired, balanced.undefined_pairs), (&None, 3));
    Ok(())
}

#[test]
fn scores_are_of_validation_images_where_a_run_was_not_tested() -> Result<(), CompareError> {
    let mut runs = pairs(2);
    runs[0].1.evals.retain(|eval| eval.split == Split::Val);
    let found = compare(&runs, None)?;
    assert_eq!(found.split, Split::Val);
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.contains("validation images"))
    );
    Ok(())
}

#[test]
fn the_baseline_is_the_group_or_the_run_asked_for() -> Result<(), CompareError> {
    let runs = pairs(2);
    let default = compare(&runs, None)?;
    let turned = compare(&runs, Some("branch-1"))?;
    assert_eq!(turned, compare(&runs, Some("attention branch"))?);
    assert_eq!((default.baseline, turned.baseline), (0, 1));
    let mean = |x: &Comparison| x.headline[0].contrasts[0].paired.as_ref().map(|x| x.mean);
    assert_eq!(mean(&default), mean(&turned).map(|x| -x));
    let unknown = compare(&runs, Some("else")).unwrap_err().to_string();
    assert!(
        unknown.contains("attention none; attention branch"),
        "{unknown}"
    );
    Ok(())
}

#[test]
fn an_excerpt_compares_like_the_run() -> Result<(), CompareError> {
    let runs = pairs(2);
    let excerpts: Vec<_> = runs
        .iter()
        .map(|(name, run)| (name.clone(), excerpt(run)))
        .collect();
    assert_eq!(compare(&excerpts, None)?, compare(&runs, None)?);
    Ok(())
}

/// With three groups, macro-F1 is a family of two contrasts, so the smallest corrected p of six pairs is 4/64.
#[test]
fn every_group_is_compared_to_the_baseline() -> Result<(), CompareError> {
    let mut runs = pairs(6);
    for seed in 0..6 {
        runs.push((
            format!("shared-{seed}"),
            run(Attention::Shared, seed, [Some(0.8), Some(0.1)]),
        ));
    }
    let found = compare(&runs, None)?;
    assert_eq!(found.others(), [1, 2]);
    let contrasts = &found.headline[0].contrasts;
    assert_eq!(
        contrasts.iter().map(|x| x.group).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(contrasts[0].smallest_corrected_p, Some(4.0 / 64.0));
    assert_eq!(contrasts[1].pairs_needed, 7);
    assert_eq!(found.group_of("shared-3"), Some(2));
    Ok(())
}

#[test]
fn probabilities_have_two_significant_figures() {
    let shown: Vec<_> = [1.0, 0.0625, 0.0078125, 0.5, 1e-6].map(probability).into();
    assert_eq!(shown, ["1", "0.062", "0.0078", "0.50", "< 0.0001"]);
}

/// Twenty runs with ten seeds, 100 classes and 20 layers. Every second class gains 0.1 with attention whatever the
/// seed, so that 2 of the 2¹⁰ sign patterns lie as far from 0. Holm's correction multiplies the smallest of m p values
/// by m: by 100 for the classes and by 20 for the layers. n pairs can reach 0.05 where 2/2ⁿ · m ≤ 0.05.
#[test]
fn a_large_comparison_has_a_row_and_a_correction_for_every_class_and_layer()
-> Result<(), CompareError> {
    let gain = |k: usize| if k.is_multiple_of(2) { 0.1 } else { 0.0 };
    let level = |seed: u64, k: usize| ((seed * 37 + k as u64 * 11) % 101) as f64 / 202.0;
    let mut runs = Vec::new();
    for seed in 0..10 {
        for attention in [Attention::None, Attention::Branch] {
            let mut large = run(attention, seed, [Some(0.5), Some(0.5)]);
            let header = large.started.as_mut().unwrap();
            header.classes = (0..100).map(|k| format!("class {k}")).collect();
            header.train_counts = (0..100).map(|k| 1000 - 9 * k).collect();
            let layer = header.layers[0].clone();
            header.layers = (0..20)
                .map(|row| Layer {
                    name: format!("conv{row}"),
                    gram: Some(row),
                    ..layer.clone()
                })
                .collect();
            let is_base = attention == Attention::None;
            for eval in &mut large.evals {
                let f1 = |k| Some(level(seed, k) + if is_base { 0.0 } else { gain(k) });
                eval.f1 = (0..100).map(f1).collect();
            }
            let summary = large.probes[0].backbone.clone();
            large.probes[0].layers = vec![summary; 20];
            runs.push((format!("{attention}-{seed}"), large));
        }
    }
    let found = compare(&runs, None)?;
    assert_eq!((found.per_class.len(), found.per_layer.len()), (100, 20));
    for (k, row) in found.per_class.iter().enumerate() {
        let contrast = &row.contrasts[0];
        let paired = contrast.paired.as_ref().unwrap();
        assert!(
            (paired.mean - gain(k)).abs() < 1e-12,
            "{}: {}",
            row.name,
            paired.mean
        );
        let p = if gain(k) > 0.0 {
            100.0 * 2.0 / 1024.0
        } else {
            1.0
        };
        assert_eq!(contrast.corrected_p, Some(p), "{}", row.name);
        assert_eq!((contrast.significant, contrast.pairs_needed), (None, 12));
    }
    for row in &found.per_layer {
        let contrast = &row.contrasts[0];
        assert_eq!(contrast.smallest_corrected_p, Some(20.0 * 2.0 / 1024.0));
        assert_eq!(
            (contrast.significant, contrast.pairs_needed),
            (Some(false), 10)
        );
    }
    Ok(())
}

/// Shows a run with another interference with batch norm as in training: 0.5 in the backbone.
fn with_training(mut run: Run) -> Run {
    let summary = ConflictSummary {
        interference: Some(0.5),
        ..ConflictSummary::default()
    };
    let mut started = run.started.clone().unwrap();
    started.probe.training = vec![0, 1];
    let mut probe = run.recorded()[0].clone();
    probe.training = Some(Summaries {
        layers: vec![summary.clone(); 2],
        backbone: summary.clone(),
        classifier: summary,
    });
    run.started = Some(started);
    run.apply(&Event::Probe(probe));
    run
}

/// Class gradients measured in two ways are never compared: as soon as one run is shown frozen, the frozen measure of
/// all is compared.
#[test]
fn the_two_measures_are_never_mixed() {
    let of = |attention, rare| run(attention, 0, [Some(0.9), Some(rare)]);
    let (old, other) = (of(Attention::None, 0.3), of(Attention::Branch, 0.6));
    let new = with_training(other.clone());
    let both = |first: &Run, second: &Run| {
        let members = [
            Member {
                name: "a",
                run: first,
            },
            Member {
                name: "b",
                run: second,
            },
        ];
        let found = Comparison::of(&members, None).unwrap();
        let row = found
            .headline
            .iter()
            .find(|row| row.name == "backbone interference");
        let values = row.unwrap().values.iter();
        (
            found.batch_norm,
            values.map(|x| x.mean.unwrap()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(both(&old, &new), both(&old, &other));
    assert_eq!(both(&old, &new).0, BatchNorm::Frozen);
    let (batch_norm, means) = both(&with_training(old), &new);
    assert_eq!(
        (batch_norm, means),
        (BatchNorm::AsInTraining, vec![0.5, 0.5])
    );
}

/// Of networks without batch norm both measures are one, which is not called frozen or as in training.
#[test]
fn without_batch_norm_the_measure_is_not_named_after_it() {
    let words = |norms: [NormKind; 2]| {
        let mut runs =
            [Attention::None, Attention::Branch].map(|x| run(x, 0, [Some(0.9), Some(0.3)]));
        for (run, norm) in runs.iter_mut().zip(norms) {
            run.started.as_mut().unwrap().config.norm = norm;
        }
        let members = ["a", "b"].into_iter().zip(&runs);
        let members: Vec<_> = members.map(|(name, run)| Member { name, run }).collect();
        let found = Comparison::of(&members, None).unwrap();
        found.batch_norm_in_words()
    };
    assert_eq!(words([NormKind::None; 2]), "no batch norm");
    assert_eq!(
        words([NormKind::Batch, NormKind::Group]),
        "batch norm frozen"
    );
}
