//! The readers, the files that they are given, and what is done with what they read.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use crosscurrent::config::{Attention, DataSource, RunConfig, Width};
use crosscurrent::data::{self, Reader as Images};
use crosscurrent::figure::export::{Figure, Format, Settings, SheetSize, Unit, read_view};
use crosscurrent::figure::{Kind, Subject, View, read_probes};
use crosscurrent::findings;
use crosscurrent::model::{Classifier, Layout, Net, Spec};
use crosscurrent::run::class_rows::ClassRows;
use crosscurrent::run::event::{Event, Split};
use crosscurrent::run::glance::Glance;
use crosscurrent::run::notes::Notes;
use crosscurrent::run::predictions::predicted;
use crosscurrent::run::probe_file::ProbeTensors;
use crosscurrent::run::probes::Probes;
use crosscurrent::run::recorded_data::RecordedData;
use crosscurrent::run::verification::{Facts, Verification};
use crosscurrent::run::{BatchNorm, Run, log};
use crosscurrent::sweep::Sweep;
use crosscurrent::train::{checkpoint, optimiser};
use crosscurrent::ui::{App, Options};
use flate2::Compression;
use flate2::write::GzEncoder;
use image::{ImageFormat, Rgb, RgbImage};

use crate::constructed::Constructed;
use crate::reads;

/// A reader, the files that it is given, and what is done with what it reads.
pub(super) struct Reader {
    pub(super) name: &'static str,
    /// Cases in the ordinary test.
    pub(super) cases: u32,
    /// Bytes that it may take in any case, and for each byte of a file.
    pub(super) memory: (usize, usize),
    /// Whether refusals are about a text, whose file the caller names.
    pub(super) is_text: bool,
    /// Writes undamaged files into a folder, and gives the names of those that are damaged one at a time.
    pub(super) prepare: fn(&Path) -> Result<Vec<String>>,
    /// Makes lengths and checksums of a damaged file good, where its format has any.
    pub(super) mend: fn(&mut [u8]),
    /// Reads a file of a folder, and uses what was read; gives the refusals. An error is a fault of the reader.
    pub(super) read: fn(&Path, &str) -> Result<Vec<String>>,
}

const MIB: usize = 1 << 20;

const fn of(
    name: &'static str,
    cases: u32,
    prepare: fn(&Path) -> Result<Vec<String>>,
    read: fn(&Path, &str) -> Result<Vec<String>>,
) -> Reader {
    Reader {
        name,
        cases,
        memory: (16 * MIB, 200),
        is_text: false,
        prepare,
        mend: |_| {},
        read,
    }
}

pub(super) const READERS: [Reader; 15] = [
    Reader {
        memory: (64 * MIB, 400),
        ..of("events", 150, a_run, events)
    },
    Reader {
        mend: tensors_mended,
        ..of("probe_files", 300, probe_files, probes)
    },
    Reader {
        mend: tensors_mended,
        ..of("recorded_data", 300, predictions, recorded)
    },
    Reader {
        mend: tensors_mended,
        ..of("checkpoints", 60, checkpoints, restored)
    },
    Reader {
        mend: tensors_mended,
        ..of("verifications", 300, verifications, verified)
    },
    of("notes", 300, notes, noted),
    Reader {
        is_text: true,
        memory: (256 * MIB, 1000),
        ..of("settings", 60, settings, opened)
    },
    Reader {
        is_text: true,
        mend: png_mended,
        memory: (64 * MIB, 4000),
        ..of("figures", 150, figures, viewed)
    },
    Reader {
        is_text: true,
        ..of("configurations", 300, configurations, configured)
    },
    of("sweeps", 300, sweeps, planned),
    Reader {
        memory: (16 * MIB, 4000),
        ..of("idx", 200, idx, loaded)
    },
    of("cifar", 60, cifar, loaded),
    Reader {
        memory: (64 * MIB, 4000),
        ..of("parquet", 200, parquet, loaded)
    },
    Reader {
        mend: png_mended,
        // 32 MiB of pixels are read whatever the file's size, and copied where they are turned, converted or resized.
        memory: (128 * MIB, 3 * 4096),
        ..of("images", 300, images, loaded)
    },
    Reader {
        memory: (64 * MIB, 4000),
        ..of("names", 60, names, named)
    },
];

// ---- Runs

const RUN: Constructed = Constructed {
    attention: Attention::Branch,
    classes: 4,
    steps: 8,
    step_every: 4,
    eval_every: 4,
    probe_every: 4,
    has_training: true,
};

fn written(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// A run with all its files; its log is damaged.
fn a_run(dir: &Path) -> Result<Vec<String>> {
    RUN.write(dir, |_| false)?;
    let older = dir.join("older");
    Constructed {
        has_training: false,
        attention: Attention::None,
        ..RUN
    }
    .write(&older, |_| false)?;
    verification().save(&dir.join("verify/00000008.safetensors"))?;
    Ok(written(&["events.jsonl", "older/events.jsonl"]))
}

fn refusal<T, E: ToString>(result: Result<T, E>, refused: &mut Vec<String>) -> Option<T> {
    result.map_err(|error| refused.push(error.to_string())).ok()
}

fn events(folder: &Path, name: &str) -> Result<Vec<String>> {
    let dir = folder.join(name);
    let dir = dir.parent().context("a run's folder")?;
    let mut refused = Vec::new();
    refusal(Glance::read(dir), &mut refused);
    let Some(loaded) = refusal(log::load(dir), &mut refused) else {
        return Ok(refused);
    };
    for note in &loaded.notes {
        ensure!(!note.contains('\n'), "two lines in a note: {note}");
    }
    refusal(log::follow(dir, &loaded.position), &mut refused);
    use_run(dir, loaded.run)?;
    Ok(refused)
}

/// Draws and lists everything that a run has: every table, one of the drawings, the findings.
fn use_run(dir: &Path, mut run: Run) -> Result<()> {
    for batch_norm in [BatchNorm::AsInTraining, BatchNorm::Frozen] {
        run.show(batch_norm);
        let mut probes = Probes::new();
        let view = View::default();
        // A probe file that does not fit the damaged log is left out.
        let _ = read_probes(dir, &run, Kind::ALL, &view, &mut probes);
        let subject = Subject {
            name: "a run",
            run: &run,
            probes: &probes,
        };
        use_view(subject, &view)?;
        let logits = findings::EndLogits::read(dir, &run);
        let subject = findings::Subject {
            run: &run,
            probes: &probes.whole,
            logits: &logits,
        };
        findings::find(&[subject]);
    }
    Ok(())
}

/// Makes every table of a run, and draws one figure: which one depends on the run, so that all have their turn.
fn use_view(subject: Subject<'_>, view: &View) -> Result<()> {
    let shown = [subject];
    let figure = |kind| Figure {
        kind,
        subject,
        shown: &shown,
        view,
    };
    let mut length = 0;
    for &kind in Kind::ALL {
        length += figure(kind).table().to_csv().len();
    }
    let settings = Settings {
        format: Format::Svg,
        size: SheetSize {
            width: 300.0,
            height: 240.0,
            unit: Unit::Pt,
        },
        ..Settings::default()
    };
    let svg = figure(Kind::ALL[length % Kind::ALL.len()]).bytes(&settings)?;
    let svg = String::from_utf8(svg)?;
    usvg::roxmltree::Document::parse(&svg).context("an SVG that is no XML")?;
    Ok(())
}

fn verification() -> Verification {
    let matrix = || (0..16).map(|x| x as f32).collect::<Vec<_>>();
    Verification {
        facts: Facts {
            step: 8,
            lr: 0.1,
            held_out: "test".to_owned(),
            step_sizes: vec![0.01; 4],
            ..Facts::default()
        },
        classes: 4,
        train: matrix(),
        held_out: matrix(),
        as_in_training: matrix(),
        frozen: matrix(),
        shares: matrix(),
        halves: [matrix(), matrix()],
    }
}

fn probe_files(dir: &Path) -> Result<Vec<String>> {
    a_run(dir)?;
    Ok(written(&[
        "probes/00000004.safetensors",
        "probes/00000008.safetensors",
    ]))
}

fn probes(dir: &Path, name: &str) -> Result<Vec<String>> {
    let (path, mut refused) = (dir.join(name), Vec::new());
    for batch_norm in [BatchNorm::AsInTraining, BatchNorm::Frozen] {
        let whole = refusal(ProbeTensors::load(&path, 4, batch_norm), &mut refused);
        let rows = refusal(ClassRows::load(&path, 4, &[0, 3], batch_norm), &mut refused);
        if let Some(whole) = whole {
            whole.gram_of(&[0, 1]);
            whole.gram_of_pair(&[0], 1, 2);
        }
        if let Some([a, b]) = rows.as_deref() {
            a.gram_with(b, &[0, 1]);
            a.ledger(&[0]);
        }
    }
    if refused.is_empty() {
        use_run(dir, log::load(dir)?.run)?;
    }
    Ok(refused)
}

fn predictions(dir: &Path) -> Result<Vec<String>> {
    a_run(dir)?;
    let labels: Vec<u16> = (0..40).map(|i| i % 4).collect();
    let split = |from: u32| (from..from + 10).collect::<Vec<u32>>();
    let files: Vec<String> = (0..40).map(|i| format!("{}/{i}.png", i % 4)).collect();
    let splits = [split(0), split(10), split(20), split(30)];
    let [train, val, test, probe] = &splits;
    log::write_data(
        &log::data_path(dir),
        &labels,
        &[
            ("train", train),
            ("val", val),
            ("test", test),
            ("probe", probe),
        ],
        [("files".to_owned(), serde_json::to_string(&files)?)].into(),
    )?;
    let name = log::predictions_file(8, Split::Test);
    let classes: Vec<u16> = (0..10).map(|i| i % 4).collect();
    let logits: Vec<f32> = (0..40).map(|i| (i % 7) as f32).collect();
    log::write_predictions(&dir.join(&name), &classes, &[0.5; 10], Some(&logits))?;
    Ok(vec!["data.safetensors".to_owned(), name])
}

fn recorded(dir: &Path, _: &str) -> Result<Vec<String>> {
    let mut refused = Vec::new();
    if let Some(data) = refusal(RecordedData::read(dir), &mut refused) {
        for file in data.files.iter().flatten() {
            let joined = dir.join(file);
            let is_inside = joined.starts_with(dir) && !file.split(['/', '\\']).any(|x| x == "..");
            ensure!(is_inside, "{file} leads out");
        }
    }
    for class in 0..4 {
        refusal(predicted(dir, (8, Split::Test), class, class), &mut refused);
    }
    Ok(refused)
}

fn net() -> Result<(Net, Box<dyn optimiser::Optimiser>)> {
    let spec = Spec {
        image: [16, 16, 1],
        classes: 3,
        width: Width::Quarter,
        attention: Attention::None,
        layout: Layout::default(),
        classifier: Classifier::Linear,
    };
    let net = Net::new(spec, 1, &candle_core::Device::Cpu)?;
    let optimiser = optimiser::of(&RunConfig::default(), net.params().specs());
    Ok((net, optimiser))
}

fn checkpoints(dir: &Path) -> Result<Vec<String>> {
    let (net, optimiser) = net()?;
    let path = log::checkpoint_path(dir, "last");
    checkpoint::save(
        &path,
        &net,
        None,
        optimiser.as_ref(),
        &checkpoint::Progress::default(),
    )?;
    Ok(written(&["checkpoints/last.safetensors"]))
}

fn restored(dir: &Path, name: &str) -> Result<Vec<String>> {
    let (mut net, mut optimiser) = net()?;
    let device = candle_core::Device::Cpu;
    let mut refused = Vec::new();
    let loaded = checkpoint::load(&dir.join(name), &mut net, None, optimiser.as_mut(), &device);
    refusal(loaded, &mut refused);
    Ok(refused)
}

fn verifications(dir: &Path) -> Result<Vec<String>> {
    verification().save(&dir.join("verify/00000008.safetensors"))?;
    Ok(written(&["verify/00000008.safetensors"]))
}

fn verified(dir: &Path, name: &str) -> Result<Vec<String>> {
    let mut refused = Vec::new();
    if let Some(found) = refusal(Verification::load(&dir.join(name), 4), &mut refused) {
        found.pairs(&found.train, &found.frozen);
    }
    Ok(refused)
}

fn notes(dir: &Path) -> Result<Vec<String>> {
    fs::write(log::events_path(dir), "")?;
    let notes = Notes {
        name: "CSBA, long tail".to_owned(),
        notes: "Warm-up was too short.\nAgain with more.".to_owned(),
    };
    notes.save(dir)?;
    Ok(written(&["notes.json"]))
}

fn noted(dir: &Path, _: &str) -> Result<Vec<String>> {
    let mut refused = Vec::new();
    refusal(Notes::load(dir), &mut refused);
    Ok(refused)
}

// ---- The window, and figures that are opened in it

/// An application that trains and deletes nothing.
fn app(dir: &Path) -> App {
    App::new(Options {
        output: dir.join("runs"),
        settings: Some(dir.join("settings.json")),
        trainer: Arc::new(|_, _, _| Ok(())),
        discard: Arc::new(|_| Ok(())),
        ..Options::default()
    })
}

/// Draws the window until `is_done`, and at least twice.
fn window(dir: &Path, is_done: impl Fn(&App) -> bool) {
    let context = egui::Context::default();
    crosscurrent::figure::style::install(&context);
    let mut app = app(dir);
    for frame in 0..400 {
        let input = egui::RawInput {
            time: Some(f64::from(frame)),
            screen_rect: Some(egui::Rect::from_min_size(
                egui::Pos2::ZERO,
                egui::vec2(1000.0, 700.0),
            )),
            ..egui::RawInput::default()
        };
        let _ = context.run_ui(input, |ui| {
            app.logic(ui.ctx());
            app.ui(ui);
        });
        if frame > 0 && is_done(&app) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn settings(dir: &Path) -> Result<Vec<String>> {
    RUN.write(&dir.join("a-run"), |_| false)?;
    let run = serde_json::to_string(&dir.join("a-run"))?;
    // The rest of the file is what the window writes.
    let path = dir.join("settings.json");
    fs::write(&path, format!("{{\"runs\": [{run}]}}"))?;
    let is_written = || fs::read_to_string(&path).is_ok_and(|text| text.contains("\"place\""));
    window(dir, |_| is_written());
    ensure!(is_written(), "the window writes no settings");
    Ok(written(&["settings.json"]))
}

fn opened(dir: &Path, _: &str) -> Result<Vec<String>> {
    window(dir, |app| !app.is_busy());
    let _ = fs::remove_file(dir.join("settings.damaged.json"));
    Ok(Vec::new())
}

fn figures(dir: &Path) -> Result<Vec<String>> {
    let run = Run::replay(&RUN.events());
    let probes = Probes::new();
    let subject = Subject {
        name: "a run",
        run: &run,
        probes: &probes,
    };
    let view = View::default();
    let settings = Settings {
        size: SheetSize {
            width: 200.0,
            height: 160.0,
            unit: Unit::Pt,
        },
        dpi: 72.0,
        ..Settings::default()
    };
    let figure = Figure {
        kind: Kind::Loss,
        subject,
        shown: &[subject],
        view: &view,
    };
    fs::write(dir.join("figure.png"), figure.bytes(&settings)?)?;
    Ok(written(&["figure.png"]))
}

fn viewed(dir: &Path, name: &str) -> Result<Vec<String>> {
    let restored = match read_view(&fs::read(dir.join(name))?) {
        Ok(restored) => restored,
        Err(refused) => return Ok(vec![refused]),
    };
    let run = Run::replay(&RUN.events());
    let probes = Probes::new();
    let subject = Subject {
        name: &restored.run.name,
        run: &run,
        probes: &probes,
    };
    use_view(subject, &restored.view_of(run.started.as_ref()))?;
    Ok(Vec::new())
}

// ---- Configurations

fn configurations(dir: &Path) -> Result<Vec<String>> {
    let config = RunConfig {
        data: DataSource::Folder("images".into()),
        size: Some("24x40".parse().map_err(anyhow::Error::msg)?),
        ..RunConfig::default()
    };
    fs::write(dir.join("config.toml"), toml::to_string(&config)?)?;
    Ok(written(&["config.toml"]))
}

fn configured(dir: &Path, name: &str) -> Result<Vec<String>> {
    let bytes = fs::read(dir.join(name))?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Vec::new());
    };
    Ok(match toml::from_str::<RunConfig>(&text) {
        Ok(config) => {
            config.warnings();
            let faults = config.validate().into_iter();
            faults.map(|fault| fault.to_string()).collect()
        }
        Err(error) => vec![crosscurrent::text::one_line(error.message())],
    })
}

fn sweeps(dir: &Path) -> Result<Vec<String>> {
    let text = "name = \"solar\"\nseeds = [0, 1, 2]\n[run]\nwidth = \"1/4\"\nepochs = 12\ndata = \"folder:images\"\n\
                [grid]\nattention = [\"none\", \"branch\"]\nlr = [0.1, 0.05]\nsize = [\"32x32\"]\n";
    fs::write(dir.join("sweep.toml"), text)?;
    fs::write(dir.join("counted.toml"), text.replace("[0, 1, 2]", "8"))?;
    Ok(written(&["sweep.toml", "counted.toml"]))
}

fn planned(dir: &Path, name: &str) -> Result<Vec<String>> {
    let mut refused = Vec::new();
    if let Some(sweep) = refusal(Sweep::read(&dir.join(name)), &mut refused) {
        for run in sweep.runs {
            let path = dir.join(&run.name);
            ensure!(path.parent() == Some(dir), "{} leads elsewhere", run.name);
        }
    }
    Ok(refused)
}

// ---- Data

fn config(dir: &Path) -> RunConfig {
    RunConfig {
        data: DataSource::Folder(dir.to_owned()),
        ..RunConfig::default()
    }
}

/// Counts, loads and looks into a folder of images.
fn loaded(dir: &Path, _: &str) -> Result<Vec<String>> {
    let (config, mut refused) = (config(dir), Vec::new());
    refusal(data::scan(&config), &mut refused);
    let leaving_out = RunConfig {
        skip_unreadable: true,
        ..config.clone()
    };
    for config in [&config, &leaving_out] {
        let Some(loaded) = refusal(data::load(config, &|_, _| true), &mut refused) else {
            continue;
        };
        for sentence in loaded.sentences() {
            ensure!(!sentence.contains('\n'), "two lines: {sentence}");
        }
        let data = &loaded.dataset;
        let pixels = data.labels.len() * data.height * data.width * data.channels;
        ensure!(data.images.len() == pixels, "pixels are missing");
        ensure!(
            data.labels
                .iter()
                .all(|&label| usize::from(label) < data.classes.len()),
            "a label without class"
        );
        data::sheet(data, 2);
    }
    if let Ok(images) = Images::open(&config) {
        let file = format!("{}#3", "train-images-idx3-ubyte");
        let _ = images.pixels(3, Some(&file), [28, 28, 1]);
    }
    Ok(refused)
}

fn picture(number: usize) -> RgbImage {
    RgbImage::from_fn(20, 17, |x, y| {
        let noise = (x * 31 + y * 17 + number as u32 * 7) % 50;
        Rgb([(number * 30) as u8, noise as u8 * 5, (x * 9) as u8])
    })
}

fn idx(dir: &Path) -> Result<Vec<String>> {
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 30, 0, 0, 0, 28, 0, 0, 0, 28];
    images.extend((0..30 * 784).map(|i| (i / 784 * 3 + i % 7) as u8));
    let mut labels = vec![0, 0, 8, 1, 0, 0, 0, 30];
    labels.extend((0..30).map(|i| i % 3));
    fs::write(dir.join("train-images-idx3-ubyte"), &images)?;
    fs::write(dir.join("train-labels-idx1-ubyte"), &labels)?;
    let packed = |bytes: &[u8], name: &str| -> Result<()> {
        let file = fs::File::create(dir.join(name))?;
        let mut packer = GzEncoder::new(file, Compression::default());
        std::io::Write::write_all(&mut packer, bytes)?;
        packer.finish()?;
        Ok(())
    };
    packed(&images, "t10k-images-idx3-ubyte.gz")?;
    packed(&labels, "t10k-labels-idx1-ubyte.gz")?;
    Ok(written(&[
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]))
}

fn cifar(dir: &Path) -> Result<Vec<String>> {
    let batch = |from: usize| -> Vec<u8> {
        let record = |i: usize| {
            let label = std::iter::once((i % 10) as u8);
            label.chain((0..3072).map(move |at| (at * (i + from) / 7) as u8))
        };
        (0..20).flat_map(record).collect()
    };
    for number in 1..=5 {
        fs::write(
            dir.join(format!("data_batch_{number}.bin")),
            batch(20 * number),
        )?;
    }
    fs::write(dir.join("test_batch.bin"), batch(900))?;
    let names: Vec<String> = (0..10).map(|k| format!("class {k}")).collect();
    fs::write(dir.join("batches.meta.txt"), names.join("\n"))?;
    Ok(written(&[
        "data_batch_1.bin",
        "test_batch.bin",
        "batches.meta.txt",
    ]))
}

fn parquet(dir: &Path) -> Result<Vec<String>> {
    reads::numbered(dir, "data/train-00000.parquet")?;
    reads::numbered(dir, "data/test-00000.parquet")?;
    Ok(written(&[
        "data/train-00000.parquet",
        "data/test-00000.parquet",
    ]))
}

fn images(dir: &Path) -> Result<Vec<String>> {
    let formats = [
        ("png", ImageFormat::Png),
        ("jpg", ImageFormat::Jpeg),
        ("bmp", ImageFormat::Bmp),
        ("webp", ImageFormat::WebP),
        ("tif", ImageFormat::Tiff),
        ("gif", ImageFormat::Gif),
        ("ppm", ImageFormat::Pnm),
    ];
    let mut names = Vec::new();
    for (number, (ending, format)) in formats.into_iter().enumerate() {
        let name = format!("{}/{number}.{ending}", ["cat", "dog"][number % 2]);
        let path = dir.join(&name);
        fs::create_dir_all(path.parent().context("a folder")?)?;
        picture(number).save_with_format(&path, format)?;
        names.push(name);
    }
    Ok(names)
}

/// Names of classes, a line each.
fn names(dir: &Path) -> Result<Vec<String>> {
    let names = "cat\n=cmd|' /C calc'!A0\n+1\n-1\n@x\na,b\n\"quoted\"\n<&>\"'\n\u{1b}[31m\n\u{732b}\n\u{642}\u{637}\n\u{1f408}\nc\u{301}\n\u{202e}x\n";
    fs::write(dir.join("names.txt"), names)?;
    Ok(written(&["names.txt"]))
}

/// Makes folders with these names, reads them as classes, and writes the names in every format that is exported.
fn named(dir: &Path, name: &str) -> Result<Vec<String>> {
    let text = fs::read(dir.join(name))?;
    let folders = dir.join("folders");
    let _ = fs::remove_dir_all(&folders);
    let parts = || text.split(|&byte| byte == b'\n' || byte == 0 || byte == b'/');
    for part in parts().take(40) {
        #[cfg(unix)]
        let part = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(part);
        #[cfg(not(unix))]
        let part = String::from_utf8_lossy(part).into_owned();
        let folder = folders.join(part);
        // A name that the system refuses, or `..`, is no name of a class.
        if folder.parent() != Some(&folders) || fs::create_dir_all(&folder).is_err() {
            continue;
        }
        for i in 0..3 {
            picture(i).save_with_format(folder.join(format!("{i}.bmp")), ImageFormat::Bmp)?;
        }
    }
    fs::create_dir_all(&folders)?;
    let loaded = match data::load(&config(&folders), &|_, _| true) {
        Ok(loaded) => loaded,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    for sentence in loaded.sentences() {
        ensure!(!sentence.contains(char::is_control), "{sentence:?}");
    }
    exported(loaded.dataset.classes)?;
    Ok(Vec::new())
}

/// Names come back from a log, a table and a drawing as they were.
fn exported(classes: Vec<String>) -> Result<()> {
    let count = classes.len().min(12);
    let made = Constructed {
        classes: count,
        ..RUN
    };
    let mut events = made.events();
    if let Some(Event::Started(started)) = events.first_mut() {
        started.classes = classes[..count].to_vec();
    }
    let lines: Vec<String> = events
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    let read: Event = serde_json::from_str(&lines[0])?;
    ensure!(read == events[0], "the log changed a name");
    let run = Run::replay(&events);
    let probes = Probes::new();
    let subject = Subject {
        name: &classes[0],
        run: &run,
        probes: &probes,
    };
    let view = View::default();
    let figure = Figure {
        kind: Kind::ClassF1,
        subject,
        shown: &[subject],
        view: &view,
    };
    let csv = figure.table().to_csv();
    let cells = crate::strangers_names::csv_cells(&csv);
    for class in &classes[..count] {
        ensure!(
            cells.iter().any(|cell| cell == class),
            "{class:?} is not in {csv}"
        );
    }
    use_view(subject, &view)
}

// ---- Lengths and checksums

/// Makes the length of a safetensors header good.
fn tensors_mended(bytes: &mut [u8]) {
    let Some(rest) = bytes.get(8..) else { return };
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<serde_json::Value>();
    if let Some(Ok(_)) = values.next() {
        let spaces = rest[values.byte_offset()..]
            .iter()
            .take_while(|byte| **byte == b' ');
        let header = values.byte_offset() + spaces.count();
        bytes[..8].copy_from_slice(&(header as u64).to_le_bytes());
    }
}

/// Makes the checksums of the chunks of a PNG file good.
fn png_mended(bytes: &mut [u8]) {
    if !bytes.starts_with(b"\x89PNG") {
        return;
    }
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 8) {
        let mut length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        // A text ends where the pixels begin.
        if &head[4..] == b"iTXt"
            && let Some(pixels) = bytes.windows(4).position(|four| four == b"IDAT")
            && pixels >= at + 16
        {
            length = pixels - at - 16;
            bytes[at..at + 4].copy_from_slice(&(length as u32).to_be_bytes());
        }
        let Some(end) = at
            .checked_add(8 + length)
            .filter(|end| end + 4 <= bytes.len())
        else {
            return;
        };
        let mut sum = flate2::Crc::new();
        sum.update(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&sum.sum().to_be_bytes());
        at = end + 4;
    }
}
