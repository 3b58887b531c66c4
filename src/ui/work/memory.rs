//! Gives memory back.

/// Drops a value on a thread of its own: for hundreds of megabytes that takes longer than a frame may.
pub(crate) fn drop_elsewhere<T: Send + 'static>(of: T) {
    let thread = std::thread::Builder::new().name("memory".to_owned());
    // Where the system gives no thread, the value is dropped here.
    let _ = thread.spawn(move || drop(of));
}
