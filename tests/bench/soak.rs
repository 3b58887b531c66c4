//! Trains, queues, opens, looks at and closes runs in the window for hours, and prints what the process holds:
//! `cargo bench --bench soak -- [HOURS]`, one hour by default.
//!
//! A turn queues two runs on the built-in images, opens the sample runs, shows every page, moves through time while the
//! runs are trained, and closes all runs. After each turn the process should hold what it held after the first ones: memory,
//! threads and open files are printed about every minute, and at the end with the growth per hour, leaving out the first tenth
//! of the time.
//! Neither a display nor OpenGL takes part, so that textures are counted but lie in nobody's memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use crosscurrent::config::{Attention, RunConfig};
use crosscurrent::ui::{App, Job, Options, Page};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

type Window = Harness<'static, App>;

/// What the process holds.
#[derive(Clone, Copy)]
struct Held {
    hours: f64,
    memory_mib: f64,
    threads: usize,
    files: usize,
    textures: usize,
    /// Values that figures keep between frames.
    values: usize,
}

/// A file that is dropped on the window.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

fn main() -> anyhow::Result<()> {
    // Cargo itself passes `--bench`.
    let hours = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let hours: f64 = hours.unwrap_or(1.0);
    let folder = tempfile::tempdir()?;
    let mut window = Harness::builder()
        .with_size(egui::vec2(1280.0, 800.0))
        .with_max_steps(40)
        .with_context_setup(crosscurrent::figure::style::install)
        .build_ui_state(
            |ui, app: &mut App| {
                app.logic(ui.ctx());
                app.ui(ui);
            },
            App::new(Options {
                output: folder.path().to_owned(),
                settings: Some(folder.path().join("settings.json")),
                ..Options::default()
            }),
        );
    let begun = Instant::now();
    let mut all: Vec<Held> = Vec::new();
    let mut printed = None;
    let mut turns = 0;
    println!(
        "{:>7} {:>6} {:>11} {:>8} {:>6} {:>9} {:>7}",
        "hours", "turns", "memory MiB", "threads", "files", "textures", "values"
    );
    loop {
        turn(&mut window, folder.path())?;
        turns += 1;
        let held = held(begun, &window)?;
        all.push(held);
        let is_over = held.hours >= hours;
        if is_over || printed.is_none_or(|at: Instant| at.elapsed() > Duration::from_secs(60)) {
            println!(
                "{:7.3} {turns:6} {:11.1} {:8} {:6} {:9} {:7}",
                held.hours, held.memory_mib, held.threads, held.files, held.textures, held.values
            );
            printed = Some(Instant::now());
        }
        if is_over {
            break;
        }
    }
    let later: Vec<Held> = all.into_iter().filter(|x| x.hours > hours / 10.0).collect();
    let span = |of: fn(&Held) -> usize| {
        let values = later.iter().map(of);
        format!(
            "{} to {}",
            values.clone().min().unwrap_or(0),
            values.max().unwrap_or(0)
        )
    };
    println!(
        "after a tenth of the time: memory grows by {:.2} MiB an hour, threads {}, files {}, textures {}, values {}",
        slope(&later),
        span(|x| x.threads),
        span(|x| x.files),
        span(|x| x.textures),
        span(|x| x.values)
    );
    Ok(())
}

/// Trains two runs, looks at them and at the samples, and closes all.
fn turn(window: &mut Window, folder: &Path) -> anyhow::Result<()> {
    let dirs =
        [("none", Attention::None), ("branch", Attention::Branch)].map(|(name, attention)| {
            let config = RunConfig {
                attention,
                epochs: 2,
                imbalance: 10.0,
                eval_every: Some(4),
                probe_every: Some(8),
                probe_images: 8,
                ..RunConfig::default()
            };
            (folder.join(name), Box::new(config))
        });
    let jobs = dirs.iter().map(|(dir, config)| Job::Train {
        dir: dir.clone(),
        config: config.clone(),
    });
    window.state_mut().train(jobs.collect());
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_runs");
    for entry in std::fs::read_dir(samples)? {
        let path = entry?.path();
        if path.is_dir() {
            window
                .input_mut()
                .dropped_files
                .push(Arc::new(Dropped(path)));
            settle(window)?;
        }
    }
    let mut pages = Page::ALL.iter().cycle();
    let patience = Instant::now() + Duration::from_secs(3600);
    let mut moment = 0;
    while window.state().is_training() {
        ensure!(Instant::now() < patience, "training does not end");
        if let Some(&page) = pages.next() {
            window.state_mut().show(page);
        }
        settle(window)?;
        moment += 1;
        if let Some(slider) = window.query_by_label("Moment shown") {
            slider.set_value_accesskit(f64::from(moment % 7));
        }
        settle(window)?;
        std::thread::sleep(Duration::from_millis(50));
    }
    settle(window)?;
    loop {
        let mut buttons = window.query_all_by_label_contains("Remove ");
        let Some(button) = buttons.next() else { break };
        button.click();
        drop(buttons);
        settle(window)?;
        ensure!(Instant::now() < patience, "runs cannot be closed");
    }
    for (dir, _) in &dirs {
        std::fs::remove_dir_all(dir).with_context(|| format!("no run in {}", dir.display()))?;
    }
    Ok(())
}

/// Draws frames until nothing is read or written in the background. Training goes on.
fn settle(window: &mut Window) -> anyhow::Result<()> {
    let patience = Instant::now() + Duration::from_secs(3600);
    window.step();
    while window.state().is_busy() {
        ensure!(
            Instant::now() < patience,
            "work in the background does not end"
        );
        window.step();
        std::thread::sleep(Duration::from_millis(2));
    }
    window.step();
    Ok(())
}

fn held(begun: Instant, window: &Window) -> anyhow::Result<Held> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| -> anyhow::Result<f64> {
        let line = status.lines().find(|line| line.starts_with(name));
        let word = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(word.with_context(|| format!("no {name}"))?.parse()?)
    };
    Ok(Held {
        hours: begun.elapsed().as_secs_f64() / 3600.0,
        memory_mib: field("VmRSS")? / 1024.0,
        threads: field("Threads")? as usize,
        files: std::fs::read_dir("/proc/self/fd")?.count(),
        textures: window.ctx.tex_manager().read().num_allocated(),
        values: crosscurrent::figure::count_kept(&window.ctx),
    })
}

/// Growth of the memory in MiB an hour, by least squares.
fn slope(all: &[Held]) -> f64 {
    let count = all.len() as f64;
    let mean = |of: fn(&Held) -> f64| all.iter().map(of).sum::<f64>() / count;
    let (hours, memory) = (mean(|x| x.hours), mean(|x| x.memory_mib));
    let both: f64 = all
        .iter()
        .map(|x| (x.hours - hours) * (x.memory_mib - memory))
        .sum();
    both / all.iter().map(|x| (x.hours - hours).powi(2)).sum::<f64>()
}
