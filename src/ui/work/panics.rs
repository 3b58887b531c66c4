//! Words a panic on a thread as a sentence.

use std::any::Any;

use crate::ui::state::words::panic_text;

/// The sentence for the notice that reports a panic.
pub(crate) fn panic_sentence(panic: &(dyn Any + Send)) -> String {
    let text = panic_text(panic);
    format!(
        "an internal error ended it ({text}); everything recorded so far is kept, please report this"
    )
}
