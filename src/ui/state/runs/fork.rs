//! What is offered where a run ended because a number was not finite: to go on from its last checkpoint with a smaller
//! learning rate.

use crate::config::{Field, RunConfig};
use crate::run::Ending;
use crate::train::smaller_rate;

/// The sentence with which a run ended because a number was not finite, without the advice that follows it; `None` for
/// any other run.
pub(crate) fn not_finite(ending: Option<&Ending>) -> Option<&str> {
    match ending {
        Some(Ending::Failed(end)) if end.is_not_finite() => end.message.split(';').next(),
        Some(Ending::Failed(_) | Ending::Finished(_) | Ending::Stopped(_)) | None => None,
    }
}

/// The learning rate that is offered for a fork of a run, as text.
pub(crate) fn offered_rate(config: &RunConfig) -> String {
    smaller_rate(config.learning_rate()).to_string()
}

/// The step given as text, at or before which a checkpoint is meant; `None` where none is given.
///
/// # Errors
/// Why the text is no step, in a sentence.
pub(crate) fn step_of(text: &str) -> Result<Option<u64>, String> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(step) => Ok(Some(step)),
            Err(_) => Err("write a step as a whole number, such as 1200, or nothing".to_owned()),
        },
    }
}

/// The configuration with a learning rate given as text.
///
/// # Errors
/// Why the text is no learning rate, in a sentence.
pub(crate) fn with_rate(config: &RunConfig, rate: &str) -> Result<RunConfig, String> {
    let mut config = config.clone();
    let field = Field::named("lr").ok_or("there is no learning rate")?;
    if rate.trim().is_empty() {
        return Err("write a number, such as 0.1".to_owned());
    }
    field.set(&mut config, rate.trim())?;
    match config.validate().into_iter().next() {
        Some(error) => Err(error.to_string()),
        None => Ok(config),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::End;

    #[test]
    fn a_fork_is_offered_where_a_number_was_not_finite() {
        let failed = |message: &str| {
            Ending::Failed(End {
                step: 7,
                message: message.to_owned(),
            })
        };
        let diverged = failed(
            "the loss is not a finite number at step 8 with learning rate 3; try a smaller `lr`",
        );
        let said = not_finite(Some(&diverged));
        assert_eq!(
            said,
            Some("the loss is not a finite number at step 8 with learning rate 3")
        );
        assert_eq!(not_finite(Some(&failed("the disk is full"))), None);
        assert_eq!(not_finite(None), None);
    }

    #[test]
    fn a_step_may_be_left_out() {
        assert_eq!(step_of("  "), Ok(None));
        assert_eq!(step_of(" 120 "), Ok(Some(120)));
        for wrong in ["-1", "1.5", "best"] {
            assert!(step_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_rate_is_read_as_a_field_is() {
        let config = RunConfig {
            lr: Some(3.0),
            ..RunConfig::default()
        };
        assert_eq!(offered_rate(&config), "0.1");
        assert_eq!(with_rate(&config, " 0.03 ").unwrap().lr, Some(0.03));
        for wrong in ["", "x", "0", "-1", "NaN"] {
            assert!(with_rate(&config, wrong).is_err(), "{wrong}");
        }
    }
}
