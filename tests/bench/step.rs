//! How fast a training step, an evaluation and a probe are, beside PyTorch on the same machine in the same run.
//!
//! ```text
//! cargo bench --bench step -- [--peer PYTHON] [--rounds 5] [--threads N] [--widths 1/4,1/2,1] [layers|steps|profile|eval|probe|mixed|scale …]
//! ```
//! With `--peer`, every round runs our program and each PyTorch variant in turn, and a ratio is formed in each round:
//! the fastest variant's time over ours. Tables give medians over the rounds, with the smallest and the largest ratio.

mod mixed;
mod peer;
mod work;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use crosscurrent::config::{Attention, Width};
use crosscurrent::ops::profile;
use peer::Peer;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use serde_json::json;
use work::{Case, WAYS, layers, step_flops};

const BATCH: usize = 128;
const CLASSES: usize = 10;
/// About how long one program works before the next has its turn.
const TURN_SECS: f64 = 0.6;
const SETTLE: Duration = Duration::from_millis(300);
const PASSES: &[&str] = &["eager-nchw", "eager-nhwc", "compile-nchw", "compile-nhwc"];
const PROBES: &[&str] = &["loop-nhwc", "loop-compile-nhwc", "sorted-nhwc", "backpack"];

/// Options and sections given on the command line.
struct Options {
    peer: Option<String>,
    rounds: usize,
    threads: usize,
    widths: Vec<Width>,
    sections: Vec<String>,
}

fn main() -> Result<()> {
    let options = options()?;
    // The work runs on a thread pool, as training does.
    rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()?
        .install(|| measure(&options))
}

fn measure(options: &Options) -> Result<()> {
    if let [section, width, attention] = options.sections.as_slice()
        && section == "peak"
    {
        return report_peak(width, attention);
    }
    let peak = fma_peak(options.threads);
    println!(
        "{}, {} threads, {}; FMA peak measured {:.0} GFLOP/s; batch {BATCH}, 32×32×3, {CLASSES} classes, f32\n",
        processor(),
        options.threads,
        instruction_set(),
        peak / 1e9
    );
    let wanted = |name: &str| {
        options.sections.is_empty() || options.sections.iter().any(|section| section == name)
    };
    if wanted("layers") {
        layer_table(options, peak)?;
    }
    if wanted("steps") {
        contest(options, "step", "Training step", peak)?;
    }
    if wanted("profile") {
        profile_table(options)?;
    }
    if wanted("eval") {
        contest(options, "eval", "Evaluation", peak)?;
    }
    if wanted("probe") {
        contest(
            options,
            "probe",
            "Probe, 10 classes × 32 images in 4 pieces",
            peak,
        )?;
    }
    if wanted("mixed") {
        mixed::table(options)?;
    }
    if wanted("scale") {
        scale_table(options)?;
    }
    Ok(())
}

fn options() -> Result<Options> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut options = Options {
        peer: None,
        rounds: 5,
        threads,
        widths: Width::ALL.to_vec(),
        sections: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--bench" => {} // Cargo's own.
            "--peer" => options.peer = Some(value()?),
            "--rounds" => options.rounds = value()?.parse()?,
            "--threads" => options.threads = value()?.parse()?,
            "--widths" => {
                options.widths = value()?
                    .split(',')
                    .map(|width| width.parse().map_err(anyhow::Error::msg))
                    .collect::<Result<_>>()?;
            }
            other if other.starts_with('-') => bail!("unknown option {other}"),
            section => options.sections.push(section.to_owned()),
        }
    }
    Ok(options)
}

/// Measures every convolution alone, in every way and direction: multiplications of the direct way in the time that each
/// way takes.
fn layer_table(options: &Options, peak: f64) -> Result<()> {
    let names = WAYS.map(|(name, _)| name).join(" | ");
    println!("GFLOP/s of the direct way, and of peak\n");
    println!("| width | convolution | what | {names} |\n|---|---|---|---|---|---|---|");
    for &width in &options.widths {
        for layer in layers(width) {
            let secs = layer.run(BATCH, options.rounds, options.threads)?;
            let kinds = ["output", "input's gradient", "weight's gradient"];
            for (kind, what) in kinds.into_iter().enumerate() {
                let rates = secs.map(|secs| layer.flops() * BATCH as f64 / secs[kind]);
                if rates.iter().any(|rate| !rate.is_finite()) {
                    continue;
                }
                let cells =
                    rates.map(|rate| format!("{:.0}, {:.0} %", rate / 1e9, 100.0 * rate / peak));
                println!(
                    "| {width} | {} {}→{} | {what} | {} |",
                    layer.name,
                    layer.inputs,
                    layer.outputs,
                    cells.join(" | ")
                );
            }
        }
    }
    println!();
    Ok(())
}

/// Measures our program against every PyTorch variant, round by round.
fn contest(options: &Options, work: &str, title: &str, peak: f64) -> Result<()> {
    println!(
        "{title}\n\n| width | attention | ours ms | images/s | of peak | fastest PyTorch ms | ratio (smallest–largest) | peak MiB ours / PyTorch | all PyTorch ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for &width in &options.widths {
        for attention in [Attention::None, Attention::Branch] {
            let mut case = Case::new(width, attention, CLASSES, BATCH)?;
            let request = json!({"work": work, "width": width.to_string(), "attention": attention.to_string(),
                "classes": CLASSES, "batch": BATCH, "images": work::PROBE_IMAGES});
            let variants = if work == "probe" { PROBES } else { PASSES };
            let mut peers = Vec::new();
            for variant in options.peer.iter().flat_map(|_| variants) {
                match Peer::start(
                    options.peer.as_deref().unwrap_or_default(),
                    options.threads,
                    variant,
                    &request,
                ) {
                    Ok(peer) => peers.push(peer),
                    Err(error) => println!("left out: {error:#}"),
                }
            }
            let mut run = || match work {
                "step" => case.step(),
                "eval" => case.eval(),
                _ => case.probe(),
            };
            (0..3).try_for_each(|_| run())?;
            let mut run = |repeats: usize| -> Result<Vec<f64>> {
                (0..repeats)
                    .map(|_| {
                        let start = Instant::now();
                        run().map(|()| start.elapsed().as_secs_f64())
                    })
                    .collect()
            };
            // The number of repeats makes our turn about `TURN_SECS` long, and every program does as many: at least 3
            // and at most 20.
            let repeats = ((TURN_SECS / median(run(3)?)) as usize).clamp(3, 20);
            let mut ours = Vec::new();
            let mut theirs = vec![Vec::new(); peers.len()];
            for _ in 0..options.rounds {
                ours.push(turn(&mut run, repeats)?);
                for (peer, theirs) in peers.iter_mut().zip(&mut theirs) {
                    theirs.push(turn(|repeats| peer.run(repeats), repeats)?);
                }
            }
            let images = if work == "probe" {
                CLASSES * work::PROBE_IMAGES
            } else {
                BATCH
            } as f64;
            let flops = images
                * if work == "eval" {
                    step_flops(width) / 3.0
                } else {
                    step_flops(width)
                };
            let typical = median(ours.clone());
            print!(
                "| {width} | {attention} | {:.1} | {:.0} | {:.0} % |",
                1e3 * typical,
                images / typical,
                100.0 * flops / typical / peak
            );
            let medians: Vec<f64> = theirs.iter().map(|secs| median(secs.clone())).collect();
            let fastest = (0..medians.len()).min_by(|&a, &b| medians[a].total_cmp(&medians[b]));
            let Some(fastest) = fastest else {
                println!(" | | {} | |", own_peak(work, width, attention)?);
                continue;
            };
            let mut ratios: Vec<f64> = theirs[fastest]
                .iter()
                .zip(&ours)
                .map(|(theirs, ours)| theirs / ours)
                .collect();
            ratios.sort_by(f64::total_cmp);
            let all = peers
                .iter()
                .zip(&medians)
                .map(|(peer, secs)| format!("{} {:.0}", peer.variant, 1e3 * secs));
            println!(
                " {:.1} ({}) | {:.2} ({:.2}–{:.2}) | {} / {} | {} |",
                1e3 * medians[fastest],
                peers[fastest].variant,
                median(ratios.clone()),
                ratios[0],
                ratios[ratios.len() - 1],
                own_peak(work, width, attention)?,
                peers[fastest].peak_bytes.0 >> 20,
                all.collect::<Vec<_>>().join(", ")
            );
        }
    }
    println!();
    Ok(())
}

/// Median seconds of the repeats in one program's turn. Before the turn, the threads of the program before go to sleep
/// (PyTorch's spin for a while after their work). The first repeat, when caches are cold, does not count.
fn turn(mut run: impl FnMut(usize) -> Result<Vec<f64>>, repeats: usize) -> Result<f64> {
    std::thread::sleep(SETTLE);
    let mut secs = run(repeats + 1)?;
    secs.remove(0);
    Ok(median(secs))
}

/// Prints where the time of a step and of a frozen probe goes.
fn profile_table(options: &Options) -> Result<()> {
    println!("Share of a training step and of a probe by kind of work (branch attention)\n");
    for &width in &options.widths {
        let mut case = Case::new(width, Attention::Branch, CLASSES, BATCH)?;
        profile_of(&format!("step, width {width}"), options, || case.step())?;
        profile_of(&format!("probe, width {width}"), options, || case.probe())?;
    }
    println!();
    Ok(())
}

/// Prints where the time of some work goes.
fn profile_of(name: &str, options: &Options, mut run: impl FnMut() -> Result<()>) -> Result<()> {
    (0..3).try_for_each(|_| run())?;
    profile::measure(true);
    let start = Instant::now();
    (0..10).try_for_each(|_| run())?;
    let whole = start.elapsed().as_secs_f64() * options.threads as f64;
    let spent = profile::spent();
    profile::measure(false);
    let mut rest = 1.0;
    let mut shares = Vec::new();
    for (work, time) in spent.iter().filter(|(_, time)| !time.is_zero()) {
        let share = time.as_secs_f64() / whole;
        rest -= share;
        shares.push(format!("{work:?} {:.1} %", 100.0 * share));
    }
    println!(
        "{name}: {}, everything else and waiting {:.1} %",
        shares.join(", "),
        100.0 * rest
    );
    Ok(())
}

/// Prints how time grows with images and classes.
fn scale_table(options: &Options) -> Result<()> {
    println!(
        "| width | K | batch | step ms | ms per image | probe ms | ms per image |\n|---|---|---|---|---|---|---|"
    );
    for &width in &options.widths {
        let cases = [32, 64, 128, 256, 512].map(|batch| (10, batch));
        for (classes, batch) in cases.into_iter().chain([(50, 128), (100, 128)]) {
            let mut case = Case::new(width, Attention::Branch, classes, batch)?;
            let mut time = |probe: bool| -> Result<f64> {
                let mut secs = Vec::new();
                for _ in 0..4 {
                    let start = Instant::now();
                    if probe {
                        case.probe()?;
                    } else {
                        case.step()?;
                    }
                    secs.push(1e3 * start.elapsed().as_secs_f64());
                }
                Ok(median(secs))
            };
            let step = time(false)?;
            let probe = if batch == BATCH {
                Some(time(true)?)
            } else {
                None
            };
            let images = (classes * work::PROBE_IMAGES) as f64;
            println!(
                "| {width} | {classes} | {batch} | {step:.1} | {:.3} | {} | {} |",
                step / batch as f64,
                probe.map_or_else(String::new, |ms| format!("{ms:.0}")),
                probe.map_or_else(String::new, |ms| format!("{:.3}", ms / images)),
            );
        }
    }
    Ok(())
}

/// Largest memory, in MiB, of a process of our program that does nothing but the work.
fn own_peak(work: &str, width: Width, attention: Attention) -> Result<String> {
    let child = std::process::Command::new(std::env::current_exe()?)
        .args(["peak", &format!("{work}:{width}"), &attention.to_string()])
        .output()?;
    Ok(String::from_utf8_lossy(&child.stdout).trim().to_owned())
}

fn report_peak(work: &str, attention: &str) -> Result<()> {
    let (work, width) = work.split_once(':').context("WORK:WIDTH")?;
    let width: Width = width.parse().map_err(anyhow::Error::msg)?;
    let attention: Attention = attention.parse().map_err(anyhow::Error::msg)?;
    let mut case = Case::new(width, attention, CLASSES, BATCH)?;
    for _ in 0..5 {
        match work {
            "step" => case.step()?,
            "eval" => case.eval()?,
            _ => case.probe()?,
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    });
    println!(
        "{}",
        peak.map_or_else(|| "?".to_owned(), |kib| (kib >> 10).to_string())
    );
    Ok(())
}

/// Floating-point operations a second that all threads reach together with nothing but multiply-adds.
fn fma_peak(threads: usize) -> f64 {
    const CHAINS: usize = 16;
    const TURNS: usize = 20_000_000;
    struct Chains;
    impl WithSimd for Chains {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> usize {
            let factor = simd.splat_f32s(std::hint::black_box(0.999));
            let mut sums = [simd.splat_f32s(1.0); CHAINS];
            for _ in 0..TURNS {
                for sum in &mut sums {
                    *sum = simd.mul_add_e_f32s(*sum, factor, factor);
                }
            }
            std::hint::black_box(sums);
            S::F32_LANES
        }
    }
    let arch = pulp::Arch::new();
    let once = || {
        let start = Instant::now();
        let lanes = (0..threads)
            .into_par_iter()
            .map(|_| arch.dispatch(Chains))
            .max()
            .unwrap_or(1);
        (2 * CHAINS * TURNS * lanes * threads) as f64 / start.elapsed().as_secs_f64()
    };
    (0..3).map(|_| once()).fold(0.0, f64::max)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| {
        line.strip_prefix("model name")?
            .split_once(':')
            .map(|(_, name)| name.trim().to_owned())
    });
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn instruction_set() -> String {
    crosscurrent::train::device::describe(&candle_core::Device::Cpu)
}
