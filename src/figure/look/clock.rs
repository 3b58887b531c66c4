//! The units of time: from steps to the x of a chart, and back.

use serde::{Deserialize, Serialize};

use crate::run::Run;
use crate::run::event::Parent;

/// Turns steps into epochs, steps, images or minutes.
#[derive(Clone, Debug, Default)]
pub(in crate::figure) struct Clock {
    axis: TimeAxis,
    /// Steps and their x, both rising; between them and beyond, x is linear.
    knots: Vec<(f64, f64)>,
    /// The steps from which on the run is a fork, the latest first; none for a run with one history.
    forked_at: Vec<u64>,
}

impl Clock {
    pub(in crate::figure) fn new(run: &Run, axis: TimeAxis) -> Self {
        let axis = axis.known_to(run);
        let per_epoch = run
            .started
            .as_ref()
            .map_or(1, |started| started.steps_per_epoch.max(1));
        let logged = |x: fn(&crate::run::event::Step) -> f64| {
            let mut knots = vec![(0.0, 0.0)];
            for step in &run.steps {
                let (at, x) = (step.step as f64, x(step));
                let is_later = knots.last().is_some_and(|last| at > last.0 && x > last.1);
                if is_later {
                    knots.push((at, x));
                }
            }
            knots
        };
        let mut knots = match axis {
            TimeAxis::Epoch => vec![(0.0, 0.0), (per_epoch as f64, 1.0)],
            TimeAxis::Step => vec![(0.0, 0.0), (1.0, 1.0)],
            TimeAxis::Images => logged(|step| step.images as f64),
            TimeAxis::WallTime => logged(|step| step.wall_secs / 60.0),
        };
        if knots.len() < 2 {
            // Nothing is logged yet: everything lies at the start.
            knots.push((1.0, 1.0));
        }
        let parent = run.started.as_ref().and_then(|x| x.parent.as_ref());
        let forks = parent.into_iter().flat_map(Parent::all);
        Self {
            axis,
            knots,
            forked_at: forks.map(|fork| fork.step).collect(),
        }
    }

    /// The x at which forks leave the runs that they were made of, the latest first.
    pub(in crate::figure) fn forks(&self) -> impl Iterator<Item = f64> {
        self.forked_at.iter().map(|step| self.at(*step as f64))
    }

    /// The x of a step, or of a part of one.
    pub(in crate::figure) fn at(&self, step: f64) -> f64 {
        self.line(step, |knot| *knot)
    }

    /// The step at an x.
    pub(in crate::figure) fn step(&self, x: f64) -> u64 {
        self.line(x, |(step, x)| (*x, *step)).max(0.0).round() as u64
    }

    /// y at `x` of the line through the knots; `of` takes the coordinates (x, y) of a knot.
    fn line(&self, x: f64, of: impl Fn(&(f64, f64)) -> (f64, f64)) -> f64 {
        let after = self.knots.partition_point(|knot| of(knot).0 <= x);
        let right = after.clamp(1, self.knots.len().saturating_sub(1).max(1));
        let (Some(left), Some(right)) = (self.knots.get(right - 1), self.knots.get(right)) else {
            return x;
        };
        let ((x0, y0), (x1, y1)) = (of(left), of(right));
        y0 + (x - x0) * (y1 - y0) / (x1 - x0)
    }

    /// Name of the axis.
    pub(in crate::figure) fn label(&self) -> &'static str {
        self.axis.label()
    }

    /// A moment in words, with its step.
    pub(in crate::figure) fn moment(&self, x: f64) -> String {
        match self.axis {
            TimeAxis::Step => self.time(x),
            TimeAxis::Epoch | TimeAxis::Images | TimeAxis::WallTime => {
                format!("{}, step {}", self.time(x), self.step(x))
            }
        }
    }

    /// A moment in words, without the step, which differs between runs with other clocks.
    pub(in crate::figure) fn time(&self, x: f64) -> String {
        match self.axis {
            TimeAxis::Epoch => format!("epoch {x:.2}"),
            TimeAxis::Step => format!("step {}", self.step(x)),
            TimeAxis::Images => format!("{x:.0} images"),
            TimeAxis::WallTime => format!("{x:.1} min"),
        }
    }

    /// Whether this clock tells the same time as another at every step.
    pub(in crate::figure) fn agrees_with(&self, other: &Self) -> bool {
        self.axis == other.axis && self.knots == other.knots
    }
}

impl TimeAxis {
    /// Every unit of time.
    pub const ALL: [Self; 4] = [Self::Epoch, Self::Step, Self::Images, Self::WallTime];

    /// This unit, or steps where the run does not know it: a recorder need not know epochs or images.
    pub fn known_to(self, run: &Run) -> Self {
        let is_unknown = match self {
            Self::Epoch => run.started.as_ref().is_some_and(|x| x.steps_per_epoch == 0),
            Self::Images => run.steps.last().is_some_and(|step| step.images == 0),
            Self::Step | Self::WallTime => false,
        };
        if is_unknown { Self::Step } else { self }
    }

    /// Name with its unit.
    pub fn label(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Step => "step",
            Self::Images => "images seen",
            Self::WallTime => "minutes of training",
        }
    }

    /// Its unit in one word.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Epoch => "epochs",
            Self::Step => "steps",
            Self::Images => "images",
            Self::WallTime => "minutes",
        }
    }
}

/// The unit of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimeAxis {
    /// Passes over the training images.
    #[default]
    Epoch,
    /// Optimiser steps.
    Step,
    /// Training images seen.
    Images,
    /// Minutes of training.
    WallTime,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::{Event, Step};

    fn run() -> Run {
        let step = |step: u64, wall_secs: f64| {
            Event::Step(Step {
                step,
                epoch: 0.0,
                images: 128 * step,
                wall_secs,
                loss: None,
                lr: 0.1,
                grad_norms: Vec::new(),
                logit_gradients: None,
            })
        };
        // Twice as fast after step 10.
        Run::replay(&[step(10, 60.0), step(30, 120.0)])
    }

    #[test]
    fn steps_and_times_turn_into_each_other() {
        for axis in TimeAxis::ALL {
            let clock = Clock::new(&run(), axis);
            for step in [0, 3, 10, 17, 30, 45] {
                assert_eq!(clock.step(clock.at(step as f64)), step, "{axis:?}");
            }
        }
        let minutes = Clock::new(&run(), TimeAxis::WallTime);
        let at = |step| (minutes.at(f64::from(step)) * 1e6).round() / 1e6;
        assert_eq!(
            [at(5), at(10), at(20), at(30), at(40)],
            [0.5, 1.0, 1.5, 2.0, 2.5]
        );
        let images = Clock::new(&run(), TimeAxis::Images);
        assert_eq!(images.at(20.0).round(), 2560.0);
    }

    #[test]
    fn before_the_first_step_there_is_a_start() {
        for axis in TimeAxis::ALL {
            let clock = Clock::new(&Run::default(), axis);
            assert_eq!((clock.at(0.0), clock.step(0.0)), (0.0, 0), "{axis:?}");
            assert!(clock.at(100.0).is_finite());
        }
    }

    #[test]
    fn a_clock_that_stands_still_or_goes_back_is_passed_over() {
        let mut run = run();
        let mut odd = run.steps[1].clone();
        odd.step = 40;
        odd.wall_secs = 100.0;
        run.steps.push(odd);
        let clock = Clock::new(&run, TimeAxis::WallTime);
        assert!(clock.at(40.0) > clock.at(30.0));
    }
}
