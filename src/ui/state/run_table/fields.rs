//! The names and values of settings in words.

use crate::ui::state::draft::label_of;
use crate::ui::state::words::capitalised;

/// A field's name in words: its label in the setup panel, or else its TOML name with spaces.
pub(crate) fn title_of(field: &str) -> String {
    let label = label_of(field);
    if label != field {
        return label.to_owned();
    }
    capitalised(&field.replace('_', " "))
}

/// The last part of the path in a value such as `folder:/data/cells`; a value without a colon is given back whole.
pub(crate) fn shortened(value: &str) -> &str {
    value
        .rsplit(['/', '\\'])
        .next()
        .filter(|_| value.contains(':'))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_read_as_words() {
        assert_eq!(title_of("weight_decay"), "Weight decay");
        assert_eq!(shortened("folder:/data/cells"), "cells");
        assert_eq!(shortened("1/2"), "1/2");
    }
}
