use super::*;
use crate::data;

#[test]
fn typed_text_is_checked() {
    let mut draft = Draft::new(Path::new("runs"));
    let epochs = Field::named("epochs").unwrap();
    draft.typed(epochs, "ten".to_owned());
    assert_eq!(draft.text_of(epochs), "ten");
    assert_eq!(draft.config.epochs, 10, "the last readable value stays");
    assert!(draft.problems()[0].1.contains("whole number"));
    draft.typed(epochs, "0".to_owned());
    assert!(draft.problems()[0].1.contains("between 1"));
    draft.typed(epochs, " 3 ".to_owned());
    assert!(draft.problems().is_empty() && draft.config.epochs == 3);
    draft
        .variants
        .iter_mut()
        .for_each(|variant| variant.1 = false);
    assert_eq!(draft.problems()[0].0, "variants");
}

/// How images are split decides which of them are in two splits: a change is checked anew once the typing has ended.
#[test]
fn images_are_checked_anew_when_their_splits_change() -> Result<(), String> {
    let mut draft = with_images()?;
    let (first, _) = draft.check_due(0.0).ok_or("the first check")?;
    assert_eq!(draft.check_due(9.0).map(|_| ()), None);
    let found = Checked {
        repeated: vec!["2 of 9 test images are also training images".to_owned()],
        ..Checked::default()
    };
    draft.checked(&first, found);
    assert!(draft.found().is_some());
    draft.config.imbalance = 10.0;
    assert!(draft.found().is_none());
    assert!(draft.check_due(10.0).is_none() && draft.check_waits(10.0) > Some(0.3));
    draft.config.imbalance = 100.0;
    assert!(draft.check_due(10.3).is_none());
    assert!(draft.check_due(10.5).is_none());
    let (second, _) = draft.check_due(10.8).ok_or("the second check")?;
    assert_eq!(second.imbalance, 100.0);
    assert_eq!(draft.check_waits(10.8), None);
    // What belongs to other splits is not taken in.
    draft.checked(&first, Checked::default());
    draft.config.imbalance = 1.0;
    assert!(draft.check_due(11.0).is_none() && draft.check_waits(11.0).is_some());
    draft.config.imbalance = 100.0;
    assert!(draft.check_due(11.1).is_none());
    assert_eq!(draft.check_waits(11.1), None);
    Ok(())
}

/// Images are compared as training sees them: their size and channels decide which of them are the same.
#[test]
fn images_are_checked_anew_when_their_pixels_change() -> Result<(), String> {
    let mut draft = with_images()?;
    let (first, _) = draft.check_due(0.0).ok_or("a check")?;
    draft.checked(&first, Checked::default());
    assert!(draft.found().is_some());
    draft.config.channels = Some(1);
    assert!(draft.found().is_none());
    draft.config.channels = None;
    assert!(draft.found().is_some());
    draft.config.size = Some(crate::config::Size {
        width: 48,
        height: 48,
    });
    assert!(draft.found().is_none());
    Ok(())
}

/// What a finding proposes is tried with everything else as in its run.
#[test]
fn a_run_is_set_up_again_with_other_settings() {
    let mut draft = Draft::new(Path::new("runs"));
    let config = RunConfig {
        data: DataSource::Folder(PathBuf::from("/images")),
        attention: Attention::Branch,
        epochs: 33,
        ..RunConfig::default()
    };
    let setting = |field, value: &str| Setting {
        field,
        value: value.to_owned(),
    };
    let before = draft.config.clone();
    assert!(
        draft
            .set_up(config.clone(), &[setting("loss", "none")])
            .is_err()
    );
    assert_eq!(draft.config, before);
    let epochs = Field::named("epochs").expect("epochs");
    draft.typed(epochs, "x".to_owned());
    assert_eq!(
        draft.set_up(config, &[setting("loss", "balanced-softmax")]),
        Ok(())
    );
    assert_eq!(draft.config.loss, crate::config::Loss::BalancedSoftmax);
    assert_eq!(
        (draft.config.epochs, draft.folder.as_str()),
        (33, "/images")
    );
    assert!(draft.problems().is_empty());
    let chosen: Vec<_> = draft.variants.iter().filter(|x| x.1).map(|x| x.0).collect();
    assert_eq!(chosen, [Attention::Branch]);
}

#[test]
fn the_cadence_is_said_in_words() {
    let said = |every, steps_per_probe, steps| {
        let cadence = Cadence {
            steps_per_probe,
            every,
        };
        in_words(&cadence, steps)
    };
    // Steps 0, 180, 360, …, 1980 and 2000.
    assert_eq!(
        said(Some(180), 19.6, 2000),
        "A probe every 180 steps, about 13 in this run; a probe costs about 20 steps."
    );
    assert_eq!(
        said(Some(1), 0.25, 40),
        "A probe every step, about 41 in this run; a probe costs about 0.2 steps."
    );
    for every in [None, Some(40), Some(100)] {
        assert_eq!(
            said(every, 12.0, 40),
            "Probes at step 0, the best and the last step; a probe costs about 12 steps."
        );
    }
    // Nothing is said before the images are counted.
    assert_eq!(Draft::new(Path::new("runs")).cadence(), None);
}

#[test]
fn fields_of_gates_apply_where_any_chosen_network_has_gates() {
    let mut draft = Draft::new(Path::new("runs"));
    let decay = Field::named("gate_decay").unwrap();
    assert!(decay.applies(&draft.as_trained()));
    for (attention, chosen) in &mut draft.variants {
        *chosen = !matches!(attention, Attention::Branch | Attention::Shared);
    }
    assert!(!decay.applies(&draft.as_trained()));
}

#[test]
fn jobs_go_to_directories_of_their_own() -> std::io::Result<()> {
    let parent = tempfile::tempdir()?;
    let draft = Draft::new(parent.path());
    let names = |jobs: &[Job]| -> Vec<String> {
        let name = |job: &Job| {
            job.dir()
                .file_name()
                .map(|x| x.to_string_lossy().into_owned())
        };
        jobs.iter().filter_map(name).collect()
    };
    let first = draft.jobs(&[]);
    assert_eq!(names(&first), ["solar-none", "solar-branch"]);
    std::fs::create_dir(first[0].dir())?;
    assert_eq!(names(&draft.jobs(&[])), ["solar-none-2", "solar-branch"]);
    let taken = [first[1].dir().to_owned()];
    let names = names(&draft.jobs(&taken));
    assert_eq!(names, ["solar-none-2", "solar-branch-2"]);
    Ok(())
}

/// A folder of images that are counted.
fn with_images() -> Result<Draft, String> {
    let mut draft = Draft::new(Path::new("runs"));
    draft.folder = "images".to_owned();
    draft.use_folder(true);
    count(&mut draft, 0.0)?;
    Ok(draft)
}

fn count(draft: &mut Draft, now: f64) -> Result<(), String> {
    let scanned = draft.scan_due(now).ok_or("a scan")?;
    let summary = data::scan(&RunConfig::default()).map_err(|error| error.to_string())?;
    draft.scanned(&scanned, Ok(Arc::new(summary)));
    Ok(())
}

/// A check that a start has ended has found nothing out, so that it begins anew; one that failed would fail again.
#[test]
fn a_check_that_was_ended_is_due_again() -> Result<(), String> {
    let mut draft = with_images()?;
    let (first, _) = draft.check_due(0.0).ok_or("a check")?;
    draft.not_checked(&first);
    assert!(draft.check_due(9.0).is_none());
    draft.stop_checking();
    draft.not_checked(&first);
    assert!(draft.check_due(9.0).is_some());
    Ok(())
}

/// The images in the folder may have changed since it was looked through.
#[test]
fn a_folder_that_is_chosen_again_is_looked_through_again() -> Result<(), String> {
    let mut draft = with_images()?;
    let (first, is_cancelled) = draft.check_due(0.0).ok_or("a check")?;
    draft.checked(&first, Checked::default());
    assert!(draft.scan_due(9.0).is_none() && draft.check_due(9.0).is_none());
    draft.use_folder_anew();
    assert!(is_cancelled.load(Ordering::Relaxed));
    count(&mut draft, 9.0)?;
    assert!(draft.check_due(9.0).is_some());
    Ok(())
}
