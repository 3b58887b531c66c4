//! The message of a panic.

use std::any::Any;

/// A panic as a sentence for the notice.
pub(crate) fn panic_sentence(panic: &(dyn Any + Send)) -> String {
    let text = panic_text(panic);
    format!(
        "an internal error ended it ({text}); everything recorded so far is kept, please report this"
    )
}

/// The message of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason given")
}
