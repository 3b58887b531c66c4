//! Frees large values without delaying a frame.

/// Drops a value on a thread of its own: freeing hundreds of megabytes takes longer than a frame may.
pub(crate) fn drop_elsewhere<T: Send + 'static>(of: T) {
    let thread = std::thread::Builder::new().name("memory".to_owned());
    // If the system gives no thread, `spawn` fails and the value is dropped on this thread.
    let _ = thread.spawn(move || drop(of));
}
