//! Some damaged files make the parquet library panic; that is an error of the file, and no fault of the program.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Once;

use super::super::super::error::DataError;
use super::super::item::problem;

thread_local! {
    /// Whether this thread is reading a file, whose panics are not reported.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What `read` gives, or an error where it panics. Nothing is reported of the panic but the error.
///
/// # Errors
/// Those of `read`, and that the file at `path` is damaged where it panics.
pub(super) fn guarded<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, DataError>,
) -> Result<T, DataError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                report(panic);
            }
        }));
    });
    IS_GUARDED.set(true);
    // Nothing of the reader is used after a panic.
    let read = catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.set(false);
    read.unwrap_or_else(|_| Err(problem(path, "it is damaged; get it again".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_the_file() {
        let path = Path::new("train.parquet");
        let panics = || guarded(path, || -> Result<(), DataError> { panic!("out of range") });
        for _ in 0..2 {
            let error = panics().expect_err("a panic").to_string();
            assert_eq!(error, "it is damaged; get it again: train.parquet");
        }
        assert!(matches!(guarded(path, || Ok(7)), Ok(7)));
    }
}
