use std::sync::Arc;

use anyhow::Context as _;

use super::*;
use crate::run::log::load;
use crate::run::notes::Notes;
use crate::ui::app::Options;
use crate::ui::work::Trainer;

/// The application while it trains the job with this id, which has recorded nothing.
fn with_job(id: u64) -> App {
    let mut app = App::new(Options::default());
    app.state.training = Some(Training::default());
    app.began(waiting(id), None);
    app
}

fn waiting(id: u64) -> Waiting {
    Waiting {
        id,
        job: Job::Train {
            dir: PathBuf::from("run"),
            config: Box::default(),
        },
        is_second: false,
    }
}

fn notice(app: &App) -> Option<(&str, bool)> {
    let notice = app.state.notice.as_ref()?;
    Some((notice.text.as_str(), notice.is_error))
}

/// What was recorded before is known as a run is gone on with. A log that is read later tells less than the trainer.
#[test]
fn earlier_steps_are_taken_over_as_a_run_is_gone_on_with() -> anyhow::Result<()> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    let opened = || -> anyhow::Result<Opened> {
        Ok(Opened {
            loaded: load(&dir)?,
            notes: Notes::default(),
            notes_error: None,
            original: None,
        })
    };
    let known = |app: &App| {
        let entry = app.state.run_in_training();
        entry.map(|entry| (entry.run.steps.is_empty(), entry.state.clone()))
    };
    let mut app = with_job(0);
    let id = app.current_run().context("a run")?;
    app.opened(id, opened()?);
    assert_eq!(known(&app), Some((true, RunState::Loading)));
    let job = Job::Resume { dir: dir.clone() };
    let resumed = Waiting { job, ..waiting(1) };
    app.began(resumed, Some(opened()?));
    assert_eq!(known(&app), Some((false, RunState::Loading)));
    Ok(())
}

/// The images of a folder may deserve several sentences, which arrive at the same time.
#[test]
fn sentences_of_the_same_job_are_shown_together() {
    let mut app = with_job(4);
    let tell = |app: &mut App, text: &str| app.take_message(Message::Notice(text.to_owned()));
    tell(&mut app, "1 image is in two splits");
    tell(&mut app, "1 file is left out");
    let both = "1 image is in two splits\n1 file is left out";
    assert_eq!(notice(&app), Some((both, false)));
    let run = app.state.run_in_training();
    assert_eq!(run.map(|entry| entry.notes.len()), Some(2));
    for number in 0..100 {
        tell(&mut app, &format!("{number}.png cannot be decoded"));
    }
    let lines = notice(&app).map(|(text, _)| text.lines().count());
    assert_eq!(lines, Some(SHOWN_SENTENCES + 1));
    let run = app.state.run_in_training();
    assert_eq!(run.map(|entry| entry.notes.len()), Some(KEPT_SENTENCES));
    app.began(waiting(5), None);
    tell(&mut app, "another job");
    assert_eq!(notice(&app), Some(("another job", false)));
}

#[test]
fn a_job_that_is_stopped_before_its_first_step_waits_again() {
    let cancelled = || Err("reading the images was cancelled".to_owned());
    let stop = |app: &App| {
        if let Some(training) = &app.state.training {
            training.control.stop();
        }
    };
    let mut app = with_job(0);
    stop(&app);
    app.ended(cancelled());
    assert_eq!(app.state.queue.waiting().len(), 1);
    assert!(app.state.failed.is_empty());
    let said = "Stopped before its first step; it waits again.";
    assert_eq!(notice(&app), Some((said, false)));

    // What is left to do is put back as the window begins to close.
    let mut app = with_job(0);
    stop(&app);
    app.is_closing = true;
    app.ended(cancelled());
    assert!(app.state.queue.is_empty() && app.state.failed.is_empty());

    let mut app = with_job(0);
    app.ended(Err("the disk is full".to_owned()));
    assert!(app.state.queue.is_empty() && app.state.failed.len() == 1);
}

#[test]
fn the_box_of_unreadable_images_is_ticked_by_the_button_that_skips_them() -> std::io::Result<()> {
    let output = tempfile::tempdir()?;
    let trainer: Trainer = Arc::new(|_, _, _| Ok(()));
    let mut app = App::new(Options {
        output: output.path().to_owned(),
        trainer,
        ..Options::default()
    });
    let field = Field::named("skip_unreadable").unwrap();
    app.state.draft.typed(field, "false".to_owned());
    app.skip_and_train();
    assert!(app.state.draft.config.skip_unreadable);
    assert_eq!(app.state.draft.text_of(field), "true");
    Ok(())
}
