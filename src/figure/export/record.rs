//! The record in an exported figure: which run, figure and view it shows.

use std::io::Cursor;

use serde::{Deserialize, Serialize};

use crate::figure::export::figure::Figure;
use crate::figure::export::png::KEY;
use crate::figure::facts::mistakes::evaluation;
use crate::figure::look::kind::Kind;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::{Order, View, WhatIf};
use crate::figure::parts::figure::{At, Gradients};
use crate::figure::registry;
use crate::run::event::Started;
use crate::run::{BatchNorm, Scope};

/// Bytes of the longest record that is read.
const LONGEST: usize = 16 << 20;

/// Version of the record's format.
const FORMAT: u32 = 1;

/// Identifies a run, wherever its directory is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRef {
    /// Id in the run's header; empty where the run had no header.
    pub id: String,
    /// Name on screen.
    pub name: String,
}

impl RunRef {
    fn of(subject: &Subject<'_>) -> Self {
        let started = subject.run.started.as_ref();
        Self {
            id: started.map_or_else(String::new, |started| started.id.clone()),
            name: subject.name.to_owned(),
        }
    }
}

/// The record of an exported figure: what the figure shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restored {
    /// Version of this record.
    pub format: u32,
    /// The run shown.
    pub run: RunRef,
    /// All runs that were on screen, in their order: differences are taken from the first.
    #[serde(default)]
    pub shown: Vec<RunRef>,
    /// Which figure.
    pub figure: Kind,
    /// The selected part of the network, as the command line calls it.
    #[serde(default)]
    pub layer: String,
    /// The step of the probe or the evaluation shown; `None` in figures of groups of runs.
    #[serde(default)]
    pub step: Option<u64>,
    /// Least and largest value of the colour scale; `None` for a figure without such a scale.
    #[serde(default)]
    pub colour_range: Option<[f64; 2]>,
    /// The cursor and what was selected.
    pub view: View,
}

impl Restored {
    /// The recorded view without selections that a run does not have: the image may be of another run, or of another
    /// version of this one.
    pub fn view_of(&self, started: Option<&Started>) -> View {
        let Some(started) = started else {
            return View::default();
        };
        let mut view = self.view.in_classes(&started.classes).into_owned();
        let classes = started.classes.len();
        let both = |&(a, b): &(usize, usize)| a < classes && b < classes;
        view.pair = view.pair.filter(both);
        view.confused = view.confused.filter(both);
        view.class = view.class.filter(|class| *class < classes);
        if let Scope::Layer(name) | Scope::Group(name) = &view.scope
            && Scope::find(name, started).is_none()
        {
            view.scope = View::default().scope;
        }
        if !view.what_if.weights.is_empty() && view.what_if.weights.len() != classes {
            view.what_if = WhatIf::default();
        }
        if !view.order.applies_to(&started.classes) {
            view.order = Order::default();
        }
        view
    }
}

/// The record of a figure, as JSON.
pub fn record(figure: &Figure<'_>) -> String {
    let step = moment(figure);
    let record = Restored {
        format: FORMAT,
        run: RunRef::of(&figure.subject),
        shown: figure.shown.iter().map(RunRef::of).collect(),
        figure: figure.kind,
        layer: figure.view.scope.name().to_owned(),
        step,
        colour_range: figure.colour_range(),
        view: View {
            // A view that follows the newest probe would show another probe later, so the step is recorded.
            step: step.or(figure.view.step),
            batch_norm: batch_norm(figure),
            ..figure.view.clone()
        },
    };
    // Serialisation cannot fail: keys are strings, and numbers that are not finite become null.
    serde_json::to_string(&record).unwrap_or_default()
}

/// How batch norm was treated in the class gradients shown. Where a run lacks what was asked for, that is not what was
/// asked for. A figure without class gradients has nothing to say, whatever is chosen for others.
fn batch_norm(figure: &Figure<'_>) -> BatchNorm {
    match registry::figure(figure.kind).gradients {
        Gradients::No => BatchNorm::default(),
        Gradients::AsShown | Gradients::Both => figure.subject.run.batch_norm(),
    }
}

/// The step of the probe or the evaluation that a figure shows; of a figure that shows both, the later step. `None`
/// for figures of the last step of every run.
fn moment(figure: &Figure<'_>) -> Option<u64> {
    let (subject, view) = (figure.subject, figure.view);
    let probe = || subject.probe(view).map(|probe| probe.step);
    let eval = || evaluation(subject, view).map(|eval| eval.step);
    match registry::figure(figure.kind).at {
        At::Probe => probe(),
        At::Evaluation => eval(),
        At::Both => probe().max(eval()),
        At::End => None,
    }
}

/// Reads the record of an exported PNG; `bytes` is the whole file.
///
/// # Errors
/// A sentence, where the file is no PNG, was not exported by this program, was exported by a newer version of it, or
/// holds a damaged record.
pub fn read_view(bytes: &[u8]) -> Result<Restored, String> {
    let reader = png::Decoder::new(Cursor::new(bytes))
        .read_info()
        .map_err(|error| format!("This is no PNG image that can be read: {error}."))?;
    let chunks = &reader.info().utf8_text;
    let chunk = chunks.iter().find(|chunk| chunk.keyword == KEY);
    let mut chunk = chunk
        .ok_or("This image was not exported by Crosscurrent, so it has no view to go back to.")?
        .clone();
    // A record of this program is not compressed; a compressed one must not unpack to more than memory holds.
    let text = chunk
        .decompress_text_with_limit(LONGEST)
        .and_then(|()| chunk.get_text())
        .map_err(|error| damaged(&error))?;
    let newer =
        "This image was exported by a newer version; update Crosscurrent to go back to its view.";
    // The version is read first: the rest of a newer record may look different.
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
    if value["format"]
        .as_u64()
        .is_some_and(|format| format > FORMAT.into())
    {
        return Err(newer.to_owned());
    }
    serde_json::from_value(value).map_err(|error| damaged(&error))
}

/// The sentence about a damaged record, in one line although the error may quote what it found.
fn damaged(error: &dyn std::fmt::Display) -> String {
    let error = error.to_string().replace(char::is_control, " ");
    format!("The view in this image is damaged: {error}.")
}
