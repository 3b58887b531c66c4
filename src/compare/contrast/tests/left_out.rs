//! What is not compared, not tested or not the same in all runs, and the sentences about it.

use super::*;

#[test]
fn runs_of_one_group_or_on_other_classes_are_not_compared() {
    assert_eq!(compare(&[], None), Err(CompareError::NothingFinished));
    let mut runs = pairs(1);
    runs.truncate(1);
    let mut alone = Alone {
        group: "attention none".to_owned(),
        of_other_classes: Vec::new(),
    };
    let one = compare(&runs, None).unwrap_err();
    assert_eq!(one, CompareError::OneGroup(alone.clone()));
    assert!(
        one.to_string()
            .contains("all finished runs are of one group")
    );
    // A run with another network and other classes is in another group, which cannot be compared.
    let mut other = run(Attention::Branch, 0, [Some(0.5), Some(0.5)]);
    other.started.as_mut().unwrap().classes[0] = "else".to_owned();
    runs.push(("other".to_owned(), other));
    alone.of_other_classes.push("attention branch".to_owned());
    let one = compare(&runs, None).unwrap_err();
    assert_eq!(one, CompareError::OneGroup(alone));
    let said = one.to_string();
    assert!(
        said.contains("no other finished runs have the classes of attention none")
            && said.ends_with("other classes have attention branch"),
        "{said}"
    );
}

/// Two classes in two contrasts are a family of four: two p of ten pairs, which cannot be below 2/2¹⁰, and two of six pairs.
/// Holm's correction multiplies the smaller of the latter by 2, not by 4.
#[test]
fn the_smallest_corrected_p_is_that_of_each_contrast_where_seeds_are_lacking()
-> Result<(), CompareError> {
    let mut runs = pairs(10);
    for seed in 0..6 {
        runs.push((
            format!("shared-{seed}"),
            run(Attention::Shared, seed, [Some(0.8), Some(0.1)]),
        ));
    }
    let found = compare(&runs, None)?;
    let [ten, six] = &row(&found.per_class, "rare").contrasts[..] else {
        panic!("two contrasts");
    };
    assert_eq!(ten.smallest_corrected_p, Some(4.0 * 2.0 / 1024.0));
    assert!(ten.significant.is_some());
    assert_eq!(six.smallest_corrected_p, Some(2.0 * 2.0 / 64.0));
    assert_eq!(six.significant, None);
    Ok(())
}

/// Macro-F1 is the mean over the classes that have images or are predicted. A class without images has no F1 of its own.
#[test]
fn classes_without_images_have_no_f1_and_a_note() -> Result<(), CompareError> {
    let mut runs = Vec::new();
    for seed in 0..2 {
        for (attention, rare) in [(Attention::None, None), (Attention::Branch, Some(0.0))] {
            let mut run = run(attention, seed, [Some(0.9), rare]);
            run.evals.iter_mut().for_each(|eval| eval.support[1] = 0);
            runs.push((format!("{attention}-{seed}"), run));
        }
    }
    let found = compare(&runs, None)?;
    let means: Vec<_> = found.headline[0].values.iter().map(|x| x.mean).collect();
    assert_eq!(means, [Some(0.9), Some(0.45)]);
    for rare in [
        row(&found.per_class, "rare"),
        row(&found.headline, "rarest class F1"),
    ] {
        assert!(rare.values.iter().all(|values| values.n == 0));
    }
    let rare = &row(&found.per_class, "rare").contrasts[0];
    assert_eq!(rare.sentence, "rare: undefined in every pair of runs.");
    let notes = found.notes.join("\n");
    for part in [
        "Without test images there is no F1: rare.",
        "Macro-F1 is not the mean over the same classes in 2 pairs of attention branch and attention none",
        "does not elsewhere (rare).",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
    assert!(!notes.contains("rare: "), "{notes}");
    let notes = compare(&pairs(2), None)?.notes.join("\n");
    assert!(!notes.contains("Macro-F1"), "{notes}");
    Ok(())
}

/// With other numbers of training images, head and tail can be other classes.
#[test]
fn interference_of_head_and_tail_is_of_the_same_classes_in_all_runs() -> Result<(), CompareError> {
    let mut runs = pairs(3);
    let of_counts = |run: &mut Run, counts: [usize; 3]| {
        let started = run.started.as_mut().unwrap();
        started.classes = ["a", "b", "c"].map(str::to_owned).to_vec();
        started.train_counts = counts.to_vec();
        let head_tail = PairsConflict {
            interference: Some(0.2),
            ..PairsConflict::default()
        };
        run.probes[0].backbone.thirds = Some(Box::new(ThirdsConflict {
            head_tail,
            ..ThirdsConflict::default()
        }));
    };
    let name = "head-tail interf.";
    for (counts, n) in [([80, 40, 20], 3), ([10, 40, 90], 0)] {
        for (of, run) in &mut runs {
            let is_base = of.starts_with("none");
            of_counts(run, if is_base { [90, 40, 10] } else { counts });
        }
        let found = compare(&runs, None)?;
        let head_tail = row(&found.headline, name);
        assert_eq!((head_tail.values[0].n, head_tail.values[1].n), (3, n));
        let notes = found.notes.join("\n");
        let left_out = format!("{name}: 3 pairs are left out");
        assert_eq!(notes.contains(&left_out), n == 0, "{notes}");
        assert!(notes.contains("since they differ in the numbers of training images."));
    }
    Ok(())
}

#[test]
fn groups_that_split_the_same_data_otherwise_have_a_note() -> Result<(), CompareError> {
    let noted = |change: fn(&mut Started)| {
        let mut runs = pairs(1);
        change(runs[1].1.started.as_mut().unwrap());
        let notes = compare(&runs, None).map(|found| found.notes.join("\n"));
        notes.map(|notes| (notes.contains("need not be trained and tested"), notes))
    };
    let (is_noted, notes) = noted(|started| {
        (started.config.data_seed, started.config.val) = (1, Some(0));
        started.test_counts[0] = 4;
    })?;
    let words = "differ in the numbers of test images, `val`, `data_seed`.";
    assert!(is_noted && notes.contains(words), "{notes}");
    // Of other data that is said instead.
    let (is_noted, notes) = noted(|started| {
        started.config.data_seed = 1;
        started.data_fingerprint = "1".to_owned();
    })?;
    assert!(
        !is_noted && notes.contains("not of the same images"),
        "{notes}"
    );
    assert!(!noted(|_| {})?.0);
    Ok(())
}

#[test]
fn what_is_not_tested_is_called_so() -> Result<(), CompareError> {
    let found = compare(&pairs(2), None)?;
    let floor = &row(&found.headline, "its noise floor").contrasts[0];
    assert_eq!(floor.sentence, "its noise floor: not tested.");
    Ok(())
}
