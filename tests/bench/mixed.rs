//! What a probe with batch norm as in training costs: in training steps, beside what the program counts, and beside
//! PyTorch.

use std::time::Instant;

use anyhow::Result;
use crosscurrent::config::{Attention, RunConfig};
use crosscurrent::train::cadence::Cadence;
use serde_json::json;

use crate::peer::Peer;
use crate::work::{Case, PROBE_IMAGES};
use crate::{BATCH, Options, SETTLE, median};

const VARIANTS: [&str; 2] = ["mixed-nchw", "mixed-nhwc"];

/// Prints the table. In every round each kind of work has its turn, and ratios are formed within the round.
pub(crate) fn table(options: &Options) -> Result<()> {
    println!(
        "Probe with batch norm as in training, {PROBE_IMAGES} images a class in 4 pieces, and both ways together in steps\n"
    );
    println!(
        "| width | classes | step ms | frozen ms | as in training ms | both in steps (smallest–largest) | counted | \
         fastest PyTorch ms | ratio (smallest–largest) |\n|---|---|---|---|---|---|---|---|---|"
    );
    for &width in &options.widths {
        for classes in [6, 10, 20] {
            let mut case = Case::new(width, Attention::None, classes, BATCH)?;
            let request = json!({"work": "mixed", "width": width.to_string(), "attention": "none",
                "classes": classes, "images": PROBE_IMAGES});
            let mut peers = Vec::new();
            for variant in options.peer.iter().flat_map(|_| VARIANTS) {
                let python = options.peer.as_deref().unwrap_or_default();
                peers.push(Peer::start(python, options.threads, variant, &request)?);
            }
            let mut ours = [Vec::new(), Vec::new(), Vec::new()];
            let mut theirs = Vec::new();
            for round in 0..=options.rounds {
                std::thread::sleep(SETTLE);
                let step = timed(3, || case.step())?;
                let frozen = timed(1, || case.probe())?;
                let mixed = timed(1, || case.mixed())?;
                let mut peer = f64::NAN;
                for other in &mut peers {
                    std::thread::sleep(SETTLE);
                    peer = peer.min(median(other.run(1)?));
                }
                if round > 0 {
                    // The first round finds the caches cold.
                    ours[0].push(step);
                    ours[1].push(frozen);
                    ours[2].push(mixed);
                    theirs.push(peer);
                }
            }
            let each = |of: &dyn Fn(usize) -> f64| -> (f64, f64, f64) {
                let mut values: Vec<f64> = (0..options.rounds).map(of).collect();
                values.sort_by(f64::total_cmp);
                let largest = values.last().copied().unwrap_or(f64::NAN);
                let smallest = values.first().copied().unwrap_or(f64::NAN);
                (median(values), smallest, largest)
            };
            let (steps, fewest, most) = each(&|i| (ours[1][i] + ours[2][i]) / ours[0][i]);
            let (ratio, low, high) = each(&|i| theirs[i] / ours[2][i]);
            let counted = Cadence::of(&RunConfig::default(), &vec![PROBE_IMAGES; classes]);
            let ms = |values: &[f64]| 1e3 * median(values.to_vec());
            println!(
                "| {width} | {classes} | {:.0} | {:.0} | {:.0} | {steps:.1} ({fewest:.1}–{most:.1}) | {:.1} | {:.0} | \
                 {ratio:.2} ({low:.2}–{high:.2}) |",
                ms(&ours[0]),
                ms(&ours[1]),
                ms(&ours[2]),
                counted.steps_per_probe,
                ms(&theirs),
            );
        }
    }
    println!();
    Ok(())
}

/// Median seconds of so many times.
fn timed(times: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut secs = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        work()?;
        secs.push(start.elapsed().as_secs_f64());
    }
    Ok(median(secs))
}
