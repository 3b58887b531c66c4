//! The threads that compute: how many there are, and that they give way to a window where one is open.

use std::sync::atomic::{AtomicBool, Ordering};

use thread_priority::ThreadPriority;

/// Out of 99: a nice value of 10 on Linux, "below normal" on Windows. Low enough that a frame is drawn at once, and
/// high enough that training does not starve beside the other programs of a desktop.
const PRIORITY: u8 = 22;

/// Whether a window is open in this process.
static BESIDE_WINDOW: AtomicBool = AtomicBool::new(false);

/// Makes the pool of computing threads: one for each core, or as many as `RAYON_NUM_THREADS` says, which candle asks,
/// too. For the start of `main`: the first computation would otherwise make one that gives way to nothing.
pub fn start_pool(beside_window: bool) {
    BESIDE_WINDOW.store(beside_window, Ordering::Relaxed);
    // Fails only where there is a pool already, and then that one computes.
    let _ = pool().build_global();
}

/// A pool of threads that compute.
pub fn pool() -> rayon::ThreadPoolBuilder {
    rayon::ThreadPoolBuilder::new().start_handler(|_| give_way())
}

/// From here on the current thread computes: beside a window at lower priority, so that all cores can be used and
/// drawing still comes first. Where the system refuses, the thread stays as it is and everything works, less smoothly.
pub fn give_way() {
    if BESIDE_WINDOW.load(Ordering::Relaxed) {
        lower_priority();
    }
}

fn lower_priority() {
    if let Ok(priority) = ThreadPriority::try_from(PRIORITY) {
        let _ = priority.set_for_current();
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Of the current thread; proc_pid_stat(5), field 19, counted from the state behind the name in brackets.
    fn nice() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[test]
    fn only_the_computing_thread_gives_way() {
        let before = nice();
        let lowered = std::thread::spawn(|| {
            lower_priority();
            nice()
        });
        // Where all tests run at a lower priority already, it cannot be raised and stays.
        assert_eq!(lowered.join().unwrap(), before.max(10));
        assert_eq!(nice(), before);
    }

    #[test]
    fn without_a_window_nothing_gives_way() {
        let before = nice();
        give_way();
        assert_eq!(nice(), before);
    }
}
