//! Measures what a frame of the window costs while a run is trained, for runs of several sizes:
//! `cargo bench --bench frames [-- WORDS OF A SCENE]`. With `-- --write FOLDER` it writes the recorded runs for
//! tests/bench/window_load.py instead.
//!
//! Neither a display nor OpenGL takes part: the measured time is the processor time of layout and tessellation. Each
//! frame follows a new event of the run or a change of the view, since a frame can then reuse least of the frame
//! before.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use crossbeam_channel::{Receiver, Sender, unbounded};
use crosscurrent::config::{Attention, RunConfig};
use crosscurrent::figure::{Order, Sight, View};
use crosscurrent::run::Scope;
use crosscurrent::run::log::Writer;
use crosscurrent::train::Message;
use crosscurrent::ui::{App, Job, Options, Page, Trainer};

#[path = "../constructed/mod.rs"]
mod constructed;
use constructed::Constructed;

/// Frames that are measured while a run grows.
const FRAMES: usize = 200;

/// A run to be shown.
struct Scene {
    name: &'static str,
    run: Constructed,
}

/// Changes of the view that a user makes in recorded runs, each with its name. A change is made in several turns, and
/// differs from turn to turn.
const CHANGES: [(&str, Change); 7] = [
    ("a step through time", |view, run, turn| {
        let last = run.steps / run.probe_every;
        view.step = Some(last.saturating_sub(turn) * run.probe_every);
    }),
    ("another layer", |view, _, turn| {
        let layers = ["stem.conv2", "branch1.conv1", "branch2.conv2", "fuse.conv"];
        view.scope = Scope::Layer(layers[turn as usize % layers.len()].to_owned());
    }),
    ("another class", |view, run, turn| {
        view.class = Some(turn as usize % run.classes);
    }),
    ("another pair", |view, run, turn| {
        let turn = turn as usize;
        view.pair = Some((turn % run.classes, (turn + 3) % run.classes));
    }),
    ("a part of the matrices", |view, run, turn| {
        let count = (run.classes / 4).max(4);
        let row = turn as usize % (run.classes - count);
        view.sight = Some(Sight {
            row,
            column: row / 2,
            count,
        });
    }),
    ("another order of classes", |view, _, turn| {
        view.order = if turn.is_multiple_of(2) {
            Order::Name
        } else {
            Order::Frequency
        };
    }),
    ("another weight of a class", |view, run, turn| {
        view.what_if.weights = vec![1.0; run.classes];
        view.what_if.weights[0] = 1.0 + 0.1 * turn as f64;
    }),
];

type Change = fn(&mut View, &Constructed, u64);

/// How often each change is made.
const TURNS: u64 = 40;

/// Recorded runs that are opened, with the number of copies of each.
const RECORDED: [(usize, Scene); 2] = [
    (
        1,
        Scene {
            name: "100 classes, 500 probes",
            run: Constructed {
                attention: Attention::Branch,
                classes: 100,
                steps: 10_000,
                step_every: 1,
                eval_every: 100,
                probe_every: 20,
                has_training: false,
            },
        },
    ),
    (
        20,
        Scene {
            name: "10 classes, 100,000 logged steps, 200 evaluations, 20 probes",
            run: Constructed {
                attention: Attention::Branch,
                classes: 10,
                steps: 100_000,
                step_every: 1,
                eval_every: 500,
                probe_every: 5_000,
                has_training: false,
            },
        },
    ),
];

/// Runs that grow while they are shown.
const SCENES: [Scene; 3] = [
    Scene {
        name: "6 classes, 300 steps",
        run: Constructed {
            attention: Attention::None,
            classes: 6,
            steps: 300,
            step_every: 1,
            eval_every: 7,
            probe_every: 15,
            has_training: false,
        },
    },
    Scene {
        name: "10 classes, 2,000 logged steps, 160 evaluations, 80 probes",
        run: Constructed {
            attention: Attention::None,
            classes: 10,
            steps: 2000,
            step_every: 1,
            eval_every: 13,
            probe_every: 25,
            has_training: false,
        },
    },
    Scene {
        name: "100 classes, 10,000 logged steps, 800 evaluations, 40 probes",
        run: Constructed {
            attention: Attention::None,
            classes: 100,
            steps: 10_000,
            step_every: 1,
            eval_every: 13,
            probe_every: 250,
            has_training: false,
        },
    },
];

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip_while(|word| word != "--write");
    if let (Some(_), Some(folder)) = (arguments.next(), arguments.next()) {
        return write_all(Path::new(&folder));
    }
    println!("processor time of a frame in ms: median, 99 %, worst");
    // Cargo itself passes `--bench`.
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let is_wanted = |scene: &&Scene| {
        wanted
            .as_ref()
            .is_none_or(|wanted| scene.name.contains(wanted.as_str()))
    };
    for scene in SCENES.iter().filter(is_wanted) {
        for pair in [false, true] {
            let runs = if pair { "two runs" } else { "one run" };
            println!("{}, {runs}", scene.name);
            measure(scene, pair)?;
        }
    }
    for (count, scene) in &RECORDED {
        if is_wanted(&scene) {
            open(*count, scene)?;
        }
    }
    Ok(())
}

/// Writes the recorded runs into a folder, so that a window can open them.
fn write_all(folder: &Path) -> anyhow::Result<()> {
    for (count, scene) in &RECORDED {
        let name = format!("{}-classes-{}-steps", scene.run.classes, scene.run.steps);
        write(*count, scene, &folder.join(name))?;
    }
    Ok(())
}

/// Writes `count` copies of a run into a folder; returns their directories.
fn write(count: usize, scene: &Scene, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let runs: Vec<_> = (0..count)
        .map(|i| folder.join(format!("run-{i}")))
        .collect();
    let first = runs.first().context("no run")?;
    scene.run.write(first, |_| false)?;
    runs.iter()
        .skip(1)
        .try_for_each(|copy| copy_run(first, copy))?;
    Ok(runs)
}

/// Measures how long recorded runs take to be opened, and the frames while a user changes the view on each page.
fn open(count: usize, scene: &Scene) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let runs = write(count, scene, folder.path())?;
    println!("{count} × {}", scene.name);
    let start = Instant::now();
    let mut window = Window::new(App::new(Options {
        runs,
        output: folder.path().join("new"),
        ..Options::default()
    }));
    while window.app.is_opening() {
        window.frame();
        std::thread::yield_now();
    }
    window.frame();
    println!("    open after {:.2} s", start.elapsed().as_secs_f64());
    window.settle()?;
    println!(
        "    with the probes that are kept in memory after {:.2} s",
        start.elapsed().as_secs_f64()
    );
    for &page in Page::ALL {
        window.app.show(page);
        window.settle()?;
        for (what, change) in CHANGES {
            let mut times = Times::default();
            for turn in 0..TURNS {
                change(window.app.figure_view(), &scene.run, turn);
                // The times are those of the frame after the change, and of the frames in which the data it needs are
                // read and drawn.
                times.push(window.frame());
                window.settle_with(&mut times)?;
            }
            times.print(&format!("{what} on {}", page.title()));
        }
        *window.app.figure_view() = View::default();
    }
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let line = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("    {}", line.unwrap_or("memory unknown"));
    }
    Ok(())
}

fn copy_run(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_run(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Measures frames after a new event of the run, and frames after the view was moved to another probe.
fn measure(scene: &Scene, pair: bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (permits, permitted) = unbounded();
    let (tell, told) = unbounded();
    let mut app = App::new(Options {
        output: folder.path().to_owned(),
        trainer: trainer(scene.run, permitted, tell),
        ..Options::default()
    });
    let names: &[&str] = if pair { &["a", "b"] } else { &["a"] };
    let job = |name| Job::Train {
        dir: folder.path().join(name),
        config: Box::new(RunConfig::default()),
    };
    app.train(names.iter().map(job).collect());
    let mut window = Window::new(app);
    if pair {
        // The left run is whole, and the right one grows.
        (0..FRAMES).try_for_each(|_| permits.send(()))?;
        (0..=FRAMES).try_for_each(|_| told.recv())?;
    }
    told.recv().context("the trainer")?;
    window.settle()?;
    window.app.figure_view().pair = Some((0, 3));
    let mut times = Times::default();
    for _ in 0..FRAMES {
        permits.send(())?;
        told.recv()?;
        times.push(window.frame());
        window.settle()?;
    }
    times.print("a new event");
    let mut times = Times::default();
    let last = scene.run.steps / scene.run.probe_every;
    for probe in last.saturating_sub(20)..=last {
        window.app.figure_view().step = Some(probe * scene.run.probe_every);
        times.push(window.frame());
        window.settle()?;
    }
    times.print("another probe");
    Ok(())
}

/// A trainer that writes a run instead of training: all events but the last [`FRAMES`] at once, and each of these after
/// a permit. It sends a message before the first of them, and after each.
fn trainer(run: Constructed, permitted: Receiver<()>, tell: Sender<()>) -> Trainer {
    Arc::new(move |job: &Job, _, emit| {
        let mut work = || -> anyhow::Result<()> {
            let mut writer = Writer::create(job.dir())?;
            let events = run.events();
            let known = events.len() - FRAMES;
            for (index, event) in events.into_iter().enumerate() {
                if index >= known {
                    permitted.recv()?;
                }
                run.write_event(&mut writer, job.dir(), &event)?;
                emit(Message::Event(event));
                if index + 1 >= known {
                    tell.send(())?;
                }
            }
            Ok(())
        };
        work().map_err(|error| error.to_string())
    })
}

/// Durations of the frames measured.
#[derive(Default)]
struct Times {
    layout: Vec<Duration>,
    tessellation: Vec<Duration>,
    vertices: usize,
}

impl Times {
    fn push(&mut self, (layout, tessellation, vertices): (Duration, Duration, usize)) {
        self.layout.push(layout);
        self.tessellation.push(tessellation);
        self.vertices = vertices;
    }

    fn print(&self, what: &str) {
        println!(
            "    after {what}: layout {}, tessellation {}, {} vertices",
            spread(&self.layout),
            spread(&self.tessellation),
            self.vertices
        );
    }
}

/// Median, 99th percentile and maximum, in ms.
fn spread(times: &[Duration]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |percent: usize| 1e3 * times[(percent * times.len()).div_ceil(100) - 1].as_secs_f64();
    format!("{:.2} {:.2} {:.2}", at(50), at(99), at(100))
}

/// Processor time of this thread, which other programs on the machine do not lengthen.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The window without a display.
struct Window {
    ctx: egui::Context,
    app: App,
    time: f64,
    /// Whether the frame before asked for another at once.
    is_unfinished: bool,
}

impl Window {
    fn new(app: App) -> Self {
        let ctx = egui::Context::default();
        crosscurrent::figure::style::install(&ctx);
        Self {
            ctx,
            app,
            time: 0.0,
            is_unfinished: true,
        }
    }

    /// Draws a frame. Returns the processor time of its layout and of its tessellation, and the number of its vertices.
    fn frame(&mut self) -> (Duration, Duration, usize) {
        self.time += 0.1;
        let size = egui::vec2(1280.0, 800.0);
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, size)),
            time: Some(self.time),
            ..egui::RawInput::default()
        };
        let start = processor_time();
        let output = self.ctx.run_ui(input, |ui| {
            self.app.logic(ui.ctx());
            self.app.ui(ui);
        });
        let layout = processor_time() - start;
        let root = &output.viewport_output[&egui::ViewportId::ROOT];
        self.is_unfinished = root.repaint_delay == Duration::ZERO;
        let start = processor_time();
        let primitives = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        let tessellation = processor_time() - start;
        let vertices = primitives
            .iter()
            .map(|primitive| match &primitive.primitive {
                egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
                egui::epaint::Primitive::Callback(_) => 0,
            });
        (layout, tessellation, vertices.sum())
    }

    /// Draws frames until all work in the background has ended.
    fn settle(&mut self) -> anyhow::Result<()> {
        self.settle_with(&mut Times::default())
    }

    /// As [`Self::settle`], and records the times of the frames.
    fn settle_with(&mut self, times: &mut Times) -> anyhow::Result<()> {
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let frame = self.frame();
            times.push(frame);
            if !self.app.is_busy() && !self.is_unfinished {
                return Ok(());
            }
            ensure!(
                Instant::now() < patience,
                "work in the background does not end"
            );
            std::thread::yield_now();
        }
    }
}
