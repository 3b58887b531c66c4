//! The progress of a run on the terminal.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::{number, say};
use crate::run::event::{Event, Split};
use crate::run::log;
use crate::train::Message;

/// Progress of a run: a bar on a terminal, a line for each evaluation in a log.
pub(super) struct Report {
    bar: ProgressBar,
    epochs: u32,
    run: PathBuf,
    loading: bool,
    last: String,
    /// Whether evaluations are printed.
    in_full: bool,
    /// Whether the run has come to its end.
    has_finished: bool,
}

impl Report {
    pub(super) fn new(epochs: u32, run: &Path) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar,
            epochs,
            run: run.to_owned(),
            loading: true,
            last: String::new(),
            in_full: true,
            has_finished: false,
        }
    }

    /// A report that prints no line for every evaluation.
    pub(super) fn brief(epochs: u32, run: &Path) -> Self {
        Self {
            in_full: false,
            ..Self::new(epochs, run)
        }
    }

    /// Whether the run has come to its end.
    pub(super) fn has_finished(&self) -> bool {
        self.has_finished
    }

    pub(super) fn take(&mut self, message: &Message) {
        match message {
            Message::Loading { done, total } => {
                self.style("reading images {wide_bar} {pos}/{len}");
                self.bar.set_length(*total as u64);
                self.bar.set_position(*done as u64);
            }
            Message::Notice(notice) => self.line(format!("note: {notice}")),
            Message::Event(event) => self.event(event),
        }
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    fn event(&mut self, event: &Event) {
        if self.loading {
            self.loading = false;
            self.style("{msg} {wide_bar} step {pos}/{len} {eta}");
        }
        match event {
            Event::Eval(_) if !self.in_full => {}
            Event::Started(started) => {
                self.bar.set_length(started.total_steps);
                let count: usize = started.layers.iter().map(|layer| layer.params).sum();
                self.line(format!(
                    "{} training images in {} classes, {count} parameters, {}",
                    started.train_counts.iter().sum::<usize>(),
                    started.classes.len(),
                    started.instruction_set
                ));
            }
            Event::Step(step) => {
                self.bar.set_position(step.step);
                let rate = step.images as f64 / step.wall_secs.max(1e-9);
                self.last = format!(
                    "epoch {:.2}/{} loss {} {rate:.0} images/s",
                    step.epoch,
                    self.epochs,
                    number(step.loss)
                );
                self.bar.set_message(self.last.clone());
            }
            Event::Eval(eval) => {
                let split = match eval.split {
                    Split::Train => "train",
                    Split::Val => "validation",
                    Split::Test => "test",
                };
                self.line(format!(
                    "step {} epoch {:.2} {split}: macro-F1 {} accuracy {} loss {}  {}",
                    eval.step,
                    eval.epoch,
                    number(eval.macro_f1),
                    number(eval.accuracy),
                    number(eval.loss),
                    self.last
                ));
            }
            Event::Probe(_) => {}
            Event::Resumed { step } => {
                let total = log::load(&self.run)
                    .ok()
                    .and_then(|loaded| loaded.run.started);
                self.bar
                    .set_length(total.map_or(0, |started| started.total_steps));
                self.line(format!("resumed after step {step}"));
            }
            Event::Finished(end) | Event::Stopped(end) => {
                self.bar.finish_and_clear();
                self.has_finished = matches!(event, Event::Finished(_));
                let word = match self.has_finished {
                    true => "finished",
                    false => "stopped",
                };
                say(format!("{word} after step {}", end.step));
            }
            Event::Failed(_) => self.bar.finish_and_clear(),
        }
    }

    fn line(&self, line: String) {
        if self.bar.is_hidden() {
            say(line);
        } else {
            self.bar.suspend(|| say(line));
        }
    }
}
