//! The threads that compute: their number, and their priority, which is low where a window is open.

use std::sync::atomic::{AtomicBool, Ordering};

use thread_priority::ThreadPriority;

/// Priority of computing threads beside a window, out of 99: a nice value of 10 on Linux, "below normal" on Windows.
/// Low enough that a frame is drawn at once, and high enough that training does not starve beside other programs.
const PRIORITY: u8 = 22;

/// Whether a window is open in this process.
static BESIDE_WINDOW: AtomicBool = AtomicBool::new(false);

/// Makes the global pool of computing threads: one for each core, or as many as `RAYON_NUM_THREADS` says, which candle
/// reads as well. To be called at the start of `main`: the first computation would otherwise make a pool whose threads
/// do not give way to a window.
pub fn start_pool(beside_window: bool) {
    BESIDE_WINDOW.store(beside_window, Ordering::Relaxed);
    // Fails only where there is a global pool already, which then computes.
    let _ = pool().build_global();
}

/// A builder of pools whose threads give way to a window ([`give_way`]).
pub fn pool() -> rayon::ThreadPoolBuilder {
    rayon::ThreadPoolBuilder::new().start_handler(|_| give_way())
}

/// Makes the current thread a computing one: where a window is open it gets a lower priority, so that all cores can be
/// used and drawing still comes first. Where the system refuses, the priority stays as it is, and the window may be
/// less smooth.
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

    /// Nice value of the current thread: field 19 of proc_pid_stat(5), counted here from the field after the name in
    /// brackets.
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
        // Where all tests run at a lower priority already, the priority cannot be raised and stays.
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
