//! The text of the table's cells.

use crate::run::event::Split;
use crate::run::glance::Scores;
use crate::text::grouped;
use crate::ui::state::run_table::{Column, Group, Row, Table, shortened};
use crate::ui::state::runs::RunState;
use crate::ui::state::words::count;

/// The text of a cell without a value.
pub(super) const MISSING: &str = "–";

/// The text of a cell of a run.
pub(super) fn value_of(row: &Row, column: &Column, split: Split) -> String {
    let score = |score: fn(Scores) -> Option<f64>| {
        let value = row.scores(split).and_then(score);
        value.map_or(MISSING.to_owned(), |value| format!("{value:.3}"))
    };
    let glance = row.glance.as_ref();
    let missing = || MISSING.to_owned();
    match column {
        Column::State => row.state.word().to_owned(),
        Column::Name => row.name.clone(),
        Column::Field(name) => row
            .field(name)
            .map_or_else(missing, |x| shortened(x).to_owned()),
        Column::MacroF1 => score(|scores| scores.macro_f1),
        Column::Accuracy => score(|scores| scores.accuracy),
        Column::RarestF1 => score(|scores| scores.rarest_f1),
        Column::Steps => glance.map_or_else(missing, |glance| match glance.started.total_steps {
            0 => grouped(glance.step),
            total => format!("{} / {}", grouped(glance.step), grouped(total)),
        }),
        Column::Started => glance.map_or_else(missing, |x| date(x.started.created_unix_secs)),
    }
}

/// The text of a cell of a group.
pub(super) fn group_value(table: &Table, group: &Group, column: &Column, split: Split) -> String {
    let rows = || group.rows.iter().map(|&row| &table.rows[row]);
    let score = |score| {
        let spread = table.spread(group, split, score);
        spread.map_or(MISSING.to_owned(), |spread| spread.in_words())
    };
    match column {
        Column::MacroF1 => score(|scores| scores.macro_f1),
        Column::Accuracy => score(|scores| scores.accuracy),
        Column::RarestF1 => score(|scores| scores.rarest_f1),
        Column::Name => {
            let variant = rows().find_map(|row| Some(row.glance.as_ref()?.started.variant()));
            let variant = variant.unwrap_or_else(|| "Runs".to_owned());
            format!("{variant}, {}", count(group.rows.len()))
        }
        Column::State => {
            let words = || rows().map(|row| row.state.word());
            let first = words().next().unwrap_or_default();
            if words().all(|word| word == first) {
                return first.to_owned();
            }
            let finished = words().filter(|word| *word == RunState::Finished.word());
            format!("{} of {} finished", finished.count(), group.rows.len())
        }
        // The cell holds the value that all runs have in common, or all their values one after the other, such as
        // seeds.
        Column::Field(_) | Column::Steps | Column::Started => {
            let mut values: Vec<String> = Vec::new();
            for row in rows() {
                let value = value_of(row, column, split);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            match (column, values.len()) {
                (Column::Steps | Column::Started, 2..) => String::new(),
                _ => {
                    if values.iter().all(|value| value.parse::<u64>().is_ok()) {
                        values.sort_by_key(|value| value.parse::<u64>().unwrap_or(0));
                    }
                    values.join(", ")
                }
            }
        }
    }
}

/// Date and time (UTC) of a number of seconds since 1970, such as "2026-11-24 01:22". The days are counted as in Howard
/// Hinnant's "chrono-compatible low-level date algorithms".
fn date(unix_secs: u64) -> String {
    let (days, secs) = (unix_secs / 86_400, unix_secs % 86_400);
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (secs / 3_600, secs / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected dates are those of GNU `date -u -d @SECONDS`.
    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00");
        assert_eq!(date(951_827_696), "2000-02-29 12:34");
        assert_eq!(date(1_795_483_330), "2026-11-24 01:22");
    }
}
