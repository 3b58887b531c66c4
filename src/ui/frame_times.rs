//! Measures how long frames take and how soon the window answers input. The window prints the measurements when it is
//! closed.

use std::fmt::{self, Display};
use std::time::{Duration, Instant};

/// The time within which a frame must be done on a screen that is redrawn 60 times a second.
const BUDGET: Duration = Duration::from_millis(16);

/// If more than this time has passed since the previous frame was done, the window rested until input came. The end of
/// a frame is not known exactly: eframe does not report how long it then waits for the screen.
const AT_REST: Duration = Duration::from_millis(30);

/// Records the time that each frame takes, in two ways, and the latency of input.
///
/// The first is the processor time of the window's thread from the beginning of a frame to the beginning of the next.
/// It covers taking in input and messages, layout, tessellation, the part of OpenGL that runs in this thread, and
/// handing the picture to the screen. It does not depend on other programs, and is known on Unix only.
///
/// The second is the time on the clock that eframe reports, which leaves out handing the picture to the screen. It is
/// longer if other threads take the processor core away.
///
/// The latency of input is measured on the clock, for every frame that took in input, until that frame was done. The
/// time at which the input arrived is not known. If the window rested, the input was taken in at once, but for the time
/// that the thread waited for a core (known on Linux only). If the previous frame had just ended, the input may have
/// arrived right after that frame took in its own, and is counted as if it had. The true latency is thus shorter, apart
/// from the time that the screen takes.
#[derive(Debug, Default)]
pub(super) struct FrameTimes {
    /// The frame under way.
    newest: Option<Frame>,
    /// The previous frame, until its time is reported.
    before: Option<Frame>,
    /// Time of each frame on the clock.
    times: Vec<Duration>,
    /// Processor time of each frame.
    work: Vec<Duration>,
    /// For each page, the processor time of its frames, and the part of that time that was layout.
    by_page: Vec<(&'static str, [Vec<Duration>; 2])>,
    latencies: Vec<Duration>,
    without_input: usize,
    /// While a run was being trained: the number of frames, the number of them without input, and the time they cover.
    live: (usize, usize, Duration),
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    began: Instant,
    has_input: bool,
    /// The page that was laid out, and the processor time of its layout. `None` while the window cannot be seen, in
    /// which case the frame is not counted.
    seen: Option<(&'static str, Duration)>,
    /// Whether a run was being trained.
    is_live: bool,
    /// Processor time of the thread from its start to the beginning of the frame; `None` if the system does not tell
    /// it.
    worked: Option<Duration>,
    /// Time that the thread had waited for a core when the frame began.
    waited: Duration,
    /// How long the input of this frame had waited when the frame began.
    input_waited: Duration,
}

impl FrameTimes {
    /// Notes that a frame begins, with or without input.
    pub(super) fn frame_begins(&mut self, has_input: bool, is_live: bool) {
        let frame = Frame {
            began: Instant::now(),
            has_input,
            seen: None,
            is_live,
            worked: processor_time(),
            waited: waited_for_core().unwrap_or_default(),
            input_waited: Duration::ZERO,
        };
        self.before = self.newest.replace(frame);
    }

    /// Notes that the layout of the frame is done, and the page that it shows.
    pub(super) fn frame_is_seen(&mut self, page: &'static str) {
        if let Some(frame) = &mut self.newest {
            let worked = processor_time().zip(frame.worked);
            let layout = worked.map_or(Duration::ZERO, |(now, before)| now.saturating_sub(before));
            frame.seen = Some((page, layout));
        }
    }

    /// Takes in how long the previous frame took on the clock.
    pub(super) fn frame_before_took(&mut self, time: Duration) {
        let (Some(before), Some(newest)) = (self.before.take(), &mut self.newest) else {
            return;
        };
        let Some((page, layout)) = before.seen else {
            return;
        };
        let between = newest.began - before.began;
        newest.input_waited = input_wait(between, time, newest.waited - before.waited);
        self.times.push(time);
        if let (Some(before), Some(newest)) = (before.worked, newest.worked) {
            let work = newest.saturating_sub(before);
            self.work.push(work);
            let known = self.by_page.iter().position(|(known, _)| *known == page);
            let known = known.unwrap_or_else(|| {
                self.by_page.push((page, Default::default()));
                self.by_page.len() - 1
            });
            let [works, layouts] = &mut self.by_page[known].1;
            works.push(work);
            layouts.push(layout);
        }
        if before.has_input {
            self.latencies.push(before.input_waited + time);
        } else {
            self.without_input += 1;
        }
        if before.is_live {
            self.live.0 += 1;
            self.live.1 += usize::from(!before.has_input);
            self.live.2 += between;
        }
    }
}

/// How long input has waited at most when a frame takes it in. The previous frame began `between` ago and took `time`;
/// since it began, the thread has waited for a core for `waited`.
fn input_wait(between: Duration, time: Duration, waited: Duration) -> Duration {
    if between.saturating_sub(time) > AT_REST {
        waited
    } else {
        between
    }
}

/// Processor time of this thread so far; `None` on systems other than Unix.
fn processor_time() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Some(Duration::new(
            time.tv_sec.try_into().ok()?,
            time.tv_nsec.try_into().ok()?,
        ))
    }
    #[cfg(not(unix))]
    None
}

/// Time that this thread has waited for a core so far: the second number in Linux's `schedstat`. `None` on other
/// systems.
fn waited_for_core() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

impl Display for FrameTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} frames, {} without input",
            self.times.len(),
            self.without_input
        )?;
        for (what, times) in [("processor", &self.work), ("clock", &self.times)] {
            writeln!(f, "{what}: {}, {}", Spread::of(times), within_budget(times))?;
        }
        for (page, [work, layout]) in &self.by_page {
            let (count, within) = (work.len(), within_budget(work));
            let (work, layout) = (Spread::of(work), Spread::of(layout));
            writeln!(
                f,
                "processor on {page}: {work}, {within} of {count}; layout alone: {layout}"
            )?;
        }
        let answers = Spread::of(&self.latencies);
        write!(
            f,
            "input in {} frames, answered: {answers}",
            self.latencies.len()
        )?;
        let (frames, without_input, time) = self.live;
        if frames == 0 {
            return Ok(());
        }
        let rate = |frames: usize| frames as f64 / time.as_secs_f64().max(1e-9);
        write!(
            f,
            "\nlive for {:.1} s: {:.1} frames/s, {:.1} without input",
            time.as_secs_f64(),
            rate(frames),
            rate(without_input)
        )
    }
}

/// The share of these times that is shorter than [`BUDGET`], in words.
fn within_budget(times: &[Duration]) -> String {
    let within = times.iter().filter(|time| **time < BUDGET).count();
    let share = 100.0 * within as f64 / times.len().max(1) as f64;
    format!("{share:.2} % under 16 ms")
}

/// The distribution of some durations.
#[derive(Debug, PartialEq)]
struct Spread {
    median: Duration,
    /// The 99th percentile.
    most: Duration,
    worst: Duration,
}

impl Spread {
    fn of(durations: &[Duration]) -> Self {
        let mut sorted = durations.to_vec();
        sorted.sort_unstable();
        // The nearest rank: the smallest duration that at least this percentage of the durations do not exceed.
        let rank = |percent: usize| {
            let index = (percent * sorted.len()).div_ceil(100).saturating_sub(1);
            sorted.get(index).copied().unwrap_or_default()
        };
        Self {
            median: rank(50),
            most: rank(99),
            worst: rank(100),
        }
    }
}

impl Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| 1e3 * time.as_secs_f64();
        write!(
            f,
            "median {:.1} ms, 99 % {:.1} ms, worst {:.1} ms",
            ms(self.median),
            ms(self.most),
            ms(self.worst)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        // The nearest ranks among 1…200 are the 100th, the 198th and the last.
        let spread = Spread::of(&(1..=200).rev().map(ms).collect::<Vec<_>>());
        let expected = Spread {
            median: ms(100),
            most: ms(198),
            worst: ms(200),
        };
        assert_eq!(spread, expected);
        let one = Spread::of(&[ms(7)]);
        assert_eq!([one.median, one.most, one.worst], [ms(7); 3]);
        assert_eq!(Spread::of(&[]).worst, ms(0));
    }

    #[test]
    fn input_waits_for_the_frame_under_way_or_for_a_core() {
        assert_eq!(
            input_wait(ms(20), ms(12), ms(1)),
            ms(20),
            "it may have come 20 ms ago"
        );
        assert_eq!(
            input_wait(ms(500), ms(12), ms(3)),
            ms(3),
            "the window rested"
        );
    }

    #[test]
    fn a_summary_counts_frames_and_those_with_input() {
        let mut times = FrameTimes::default();
        for (has_input, is_live, took) in [
            (true, false, 0),
            (false, true, 20),
            (true, true, 4),
            (false, false, 6),
        ] {
            times.frame_begins(has_input, is_live);
            times.frame_is_seen("Overview");
            times.frame_before_took(ms(took));
        }
        // The window is minimised: nothing is laid out, and eframe repeats what it reported last.
        times.frame_begins(true, true);
        times.frame_before_took(ms(6));
        times.frame_begins(true, true);
        times.frame_before_took(ms(6));
        assert_eq!(times.times, [ms(20), ms(4), ms(6), ms(6)]);
        assert_eq!((times.latencies.len(), times.without_input), (2, 2));
        assert_eq!((times.live.0, times.live.1), (2, 1));
        let text = times.to_string();
        assert!(text.starts_with("4 frames, 2 without input\n"), "{text}");
        let clock = "clock: median 6.0 ms, 99 % 20.0 ms, worst 20.0 ms, 75.00 % under 16 ms";
        assert!(text.contains(clock), "{text}");
    }
}
