//! A small data set, a short run on it, and functions that read runs.

use std::path::Path;

use anyhow::Result;
use crosscurrent::config::{Attention, DataSource, RunConfig};
use crosscurrent::run::event::Event;
use crosscurrent::train::{self, Control, Message};
use image::{Rgb, RgbImage};

/// Writes three classes of images of 16×16 pixels that can be learnt, each into a folder of its own: stripes across,
/// stripes down, and spots, which are rare.
pub(crate) fn images(root: &Path) -> Result<()> {
    for (class, count) in [("across", 24), ("down", 20), ("spots", 7)] {
        std::fs::create_dir_all(root.join(class))?;
        for i in 0..count {
            let image = RgbImage::from_fn(16, 16, |x, y| {
                let on = match class {
                    "across" => (y + i) % 4 < 2,
                    "down" => (x + i) % 4 < 2,
                    _ => (x / 2 + y / 2 + i) % 4 == 0,
                };
                let level = if on { 200 } else { 50 };
                Rgb([level, (level as u32 + x * i % 40) as u8, 90 + (i * 5) as u8])
            });
            image.save(root.join(class).join(format!("{i:02}.png")))?;
        }
    }
    Ok(())
}

/// The configuration of a run of 16 steps, which are four epochs, on the images in `data`.
pub(crate) fn config(data: &Path) -> RunConfig {
    RunConfig {
        data: DataSource::Folder(data.to_owned()),
        attention: Attention::Branch,
        epochs: 4,
        batch: 12,
        eval_every: Some(2),
        probe_every: Some(3),
        probe_images: 6,
        crop_padding: 2,
        ..RunConfig::default()
    }
}

/// Trains to the end. Returns the events in the order in which a front end receives them.
pub(crate) fn train(dir: &Path, config: &RunConfig) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    train::run(dir, config, &Control::default(), &mut collect(&mut events))?;
    Ok(events)
}

/// Trains, and stops once the step `stop_at` has been logged. Returns the events.
pub(crate) fn train_until(dir: &Path, config: &RunConfig, stop_at: u64) -> Result<Vec<Event>> {
    let control = Control::default();
    let mut events = Vec::new();
    let mut push = collect(&mut events);
    train::run(dir, config, &control, &mut |message| {
        if matches!(&message, Message::Event(Event::Step(step)) if step.step >= stop_at) {
            control.stop();
        }
        push(message);
    })?;
    drop(push);
    Ok(events)
}

/// Resumes a run and trains it to its end. Returns the events since resuming.
pub(crate) fn resume(dir: &Path) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    train::resume(dir, &Control::default(), &mut collect(&mut events))?;
    Ok(events)
}

/// A receiver of messages that keeps the events.
fn collect(events: &mut Vec<Event>) -> impl FnMut(Message) + Send {
    |message| {
        if let Message::Event(event) = message {
            events.push(event);
        }
    }
}

/// An event without the fields that differ between two runs of one configuration: times of the clock, and the
/// identifier that is made from them.
pub(crate) fn timeless(event: &Event) -> Event {
    let mut event = event.clone();
    if let Event::Started(started) = &mut event {
        started.id = String::new();
        started.created_unix_secs = 0;
    }
    if let Event::Step(step) = &mut event {
        step.wall_secs = 0.0;
    }
    event
}

/// The tensors of the checkpoint `which` (`last` or `best`) as bytes, sorted by name.
pub(crate) fn tensors(dir: &Path, which: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let bytes = std::fs::read(crosscurrent::run::log::checkpoint_path(dir, which))?;
    let file = safetensors::SafeTensors::deserialize(&bytes)?;
    let mut tensors: Vec<_> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| (name, view.data().to_vec()))
        .collect();
    tensors.sort();
    Ok(tensors)
}
