//! Files from strangers: every reader is given damaged files. It must not panic, abort or hang, must not take memory for
//! what a file merely announces, and must refuse in one sentence that names the file or folder.
//!
//! The files come from the program's own writers, and `damage` damages them. Each reader is tried in a process of its own,
//! so that an abort or a hang is told apart, and memory is counted for it alone. `CROSSCURRENT_FUZZ_SECONDS` makes each
//! reader run for so long instead of a few hundred cases; failures are then kept in the folder `CROSSCURRENT_FUZZ_KEEP`.
//!
//! ```text
//! readers   the readers, their files, and what is done with what they read
//! damage    ways in which files are damaged
//! memory    counts allocated bytes
//! ```

mod damage;
pub(crate) mod memory;
mod readers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use damage::damages;
use readers::{READERS, Reader};

/// Seconds after which a case counts as hanging.
const PATIENCE: u64 = 20;

/// Tries a reader in a process of its own.
fn tried(name: &str) -> Result<()> {
    let seconds = std::env::var("CROSSCURRENT_FUZZ_SECONDS").ok();
    let folder = tempfile::tempdir()?;
    let output = Command::new(std::env::current_exe()?)
        .args(["--exact", "strangers::child", "--ignored", "--nocapture"])
        .env("CROSSCURRENT_FUZZ_READER", name)
        .env("CROSSCURRENT_FUZZ_FOLDER", folder.path())
        .env("RAYON_NUM_THREADS", "1")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let report = |line: &&str| line.starts_with("fuzz:");
    said.lines()
        .filter(report)
        .for_each(|line| println!("{line}"));
    if !output.status.success() {
        let failed = String::from_utf8_lossy(&output.stderr);
        let kept = folder.keep();
        bail!(
            "{name} failed ({}); its files are in {}\n{said}\n{failed}",
            output.status,
            kept.display()
        );
    }
    ensure!(
        seconds.is_some() || said.contains("fuzz:"),
        "nothing was tried: {said}"
    );
    Ok(())
}

macro_rules! tests {
    ($($name:ident),+ $(,)?) => { $(
        #[test]
        fn $name() -> Result<()> {
            tried(stringify!($name))
        }
    )+

        #[test]
        fn every_reader_has_a_test() {
            let tested = [$(stringify!($name)),+];
            assert_eq!(READERS.map(|reader| reader.name), tested);
        }
    };
}

tests!(
    events,
    probe_files,
    recorded_data,
    checkpoints,
    verifications,
    notes,
    settings,
    figures,
    configurations,
    sweeps,
    idx,
    cifar,
    parquet,
    images,
    names,
);

/// When the case under way began, in milliseconds since the process did; 0 where none is.
static BEGAN: AtomicU64 = AtomicU64::new(0);
/// What the last panic said, and where.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// The process that tries one reader.
#[test]
#[ignore = "the other tests here start it, in a process of its own"]
fn child() -> Result<()> {
    let Ok(name) = std::env::var("CROSSCURRENT_FUZZ_READER") else {
        return Ok(());
    };
    let folder = PathBuf::from(std::env::var("CROSSCURRENT_FUZZ_FOLDER")?);
    let seconds = std::env::var("CROSSCURRENT_FUZZ_SECONDS").ok();
    let seconds: Option<u64> = seconds.map(|text| text.parse()).transpose()?;
    let reader = READERS.iter().find(|reader| reader.name == name);
    let reader = reader.with_context(|| format!("there is no reader {name}"))?;
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("?");
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        *PANIC.lock().unwrap() = format!("{place}: {message}");
    }));
    let start = Instant::now();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let began = BEGAN.load(Ordering::Relaxed);
            let now = start.elapsed().as_millis() as u64;
            if began > 0 && now > began + PATIENCE * 1000 {
                println!("hangs: a case took longer than {PATIENCE} s");
                std::process::exit(3);
            }
        }
    });
    // The stack of a thread of the pool, as readers have it.
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(move || rounds(reader, &folder, seconds, start))?
        .join()
        .map_err(|_| anyhow::anyhow!("the test itself failed: {}", PANIC.lock().unwrap()))?
}

fn rounds(reader: &Reader, folder: &Path, seconds: Option<u64>, start: Instant) -> Result<()> {
    let names = (reader.prepare)(folder)?;
    let files: Vec<Vec<u8>> = names
        .iter()
        .map(|name| std::fs::read(folder.join(name)))
        .collect::<Result<_, _>>()?;
    // Undamaged files are read.
    for name in &names {
        let (refused, _) = memory::measured(|| (reader.read)(folder, name));
        let refused = refused?;
        ensure!(
            refused.is_empty(),
            "undamaged, {name} is refused: {refused:?}"
        );
    }
    let mut state = State {
        reader,
        folder,
        names: &names,
        files: &files,
        start,
        cases: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        peak: AtomicU64::new(0),
    };
    let mut failures: BTreeMap<String, String> = BTreeMap::new();
    let mut round = 0_u64;
    loop {
        let cases = if seconds.is_some() { 500 } else { reader.cases };
        if let Err((reason, bytes, how)) = state.round(round, cases) {
            // One failure for each place.
            let key: String = reason.chars().take(110).collect();
            if let Ok(keep) = std::env::var("CROSSCURRENT_FUZZ_KEEP")
                && !failures.contains_key(&key)
            {
                std::fs::create_dir_all(&keep)?;
                let file = format!("{}-{}-{}", reader.name, failures.len(), std::process::id());
                std::fs::write(Path::new(&keep).join(file), &bytes)?;
            }
            failures.entry(key).or_insert_with(|| {
                let seen = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
                println!("fuzz: FAILED {}: {reason}; {how}", reader.name);
                format!("{reason}\n{how}\n{seen:?}")
            });
        }
        round += 1;
        if seconds.is_none_or(|seconds| start.elapsed().as_secs() >= seconds) {
            break;
        }
    }
    println!(
        "fuzz: {}: {} cases, {} refused, {:.1} s, at most {} KiB taken for a case",
        reader.name,
        state.cases.get_mut(),
        state.refused.get_mut(),
        start.elapsed().as_secs_f64(),
        *state.peak.get_mut() / 1024
    );
    let failures: Vec<_> = failures.into_values().collect();
    ensure!(failures.is_empty(), "{}", failures.join("\n\n"));
    Ok(())
}

struct State<'a> {
    reader: &'a Reader,
    folder: &'a Path,
    names: &'a [String],
    files: &'a [Vec<u8>],
    start: Instant,
    cases: AtomicU64,
    refused: AtomicU64,
    peak: AtomicU64,
}

impl State<'_> {
    /// Tries so many damaged files; else what went wrong, with the smallest file found, and how it was damaged.
    fn round(&self, seed: u64, cases: u32) -> Result<(), (String, Vec<u8>, String)> {
        let config = Config {
            cases,
            failure_persistence: None,
            max_shrink_iters: 300,
            ..Config::default()
        };
        let base: u64 = std::env::var("CROSSCURRENT_FUZZ_SEED")
            .ok()
            .and_then(|x| x.parse().ok())
            .unwrap_or(0);
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&(seed + base).to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(config, random);
        let made =
            |(which, damages, is_mended): &(prop::sample::Index, Vec<damage::Damage>, bool)| {
                let which = which.index(self.files.len());
                let mut bytes = self.files[which].clone();
                damages
                    .iter()
                    .for_each(|damage| damage.apply(&mut bytes, self.files));
                if *is_mended {
                    (self.reader.mend)(&mut bytes);
                }
                (which, bytes)
            };
        let result = runner.run(&damages(), |case| {
            let (which, bytes) = made(&case);
            self.one(which, &bytes).map_err(TestCaseError::fail)
        });
        match result {
            Ok(()) => Ok(()),
            Err(TestError::Fail(reason, case)) => {
                let (which, bytes) = made(&case);
                let how = format!("{} damaged by {:?}", self.names[which], case.1);
                let how = how.chars().take(1500).collect();
                Err((reason.message().to_owned(), bytes, how))
            }
            Err(TestError::Abort(reason)) => {
                Err((reason.message().to_owned(), Vec::new(), String::new()))
            }
        }
    }

    fn one(&self, which: usize, bytes: &[u8]) -> Result<(), String> {
        let path = self.folder.join(&self.names[which]);
        std::fs::write(&path, bytes).map_err(|error| error.to_string())?;
        BEGAN.store(
            self.start.elapsed().as_millis() as u64 + 1,
            Ordering::Relaxed,
        );
        PANIC.lock().unwrap().clear();
        let read =
            || std::panic::catch_unwind(|| (self.reader.read)(self.folder, &self.names[which]));
        let (read, peak) = memory::measured(read);
        BEGAN.store(0, Ordering::Relaxed);
        self.cases.fetch_add(1, Ordering::Relaxed);
        self.peak.fetch_max(peak as u64, Ordering::Relaxed);
        let _ = std::fs::write(&path, &self.files[which]);
        let said = match read {
            Err(_) => return Err(format!("panicked at {}", PANIC.lock().unwrap())),
            Ok(Err(fault)) => return Err(fault.to_string()),
            Ok(Ok(said)) => said,
        };
        if !said.is_empty() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        let most = self.reader.memory.0 + self.reader.memory.1 * bytes.len();
        if peak > most {
            return Err(format!(
                "memory: {peak} bytes were taken for a file of {}",
                bytes.len()
            ));
        }
        // Each refusal names the file, or the folder that it is in.
        let names = [
            self.names[which].as_str(),
            self.folder.to_str().unwrap_or("?"),
        ];
        for sentence in said {
            let is_one = !sentence.trim().is_empty() && !sentence.contains(['\n', '\r']);
            let is_named = self.reader.is_text || names.iter().any(|name| sentence.contains(name));
            if !is_one || !is_named {
                return Err(format!("no sentence that names the file: {sentence:?}"));
            }
        }
        // A thread that panicked beside the reader is a fault, too.
        let panic = PANIC.lock().unwrap().clone();
        if panic.is_empty() {
            Ok(())
        } else {
            Err(format!("panicked at {panic}"))
        }
    }
}
