//! Memory on the CPU that is used again.
//!
//! With fresh memory for every activation, gradient and packed weight, a step would spend a quarter of its time on memory:
//! the system hands it out page by page, each filled with zeros, and takes it back as soon as it is free.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

/// Most blocks of memory that a thread keeps: more than a step of the network uses.
const KEPT: usize = 96;
/// Blocks of fewer values are not worth keeping.
const SMALL: usize = 1 << 14;

thread_local! {
    /// Free blocks of memory, the longest unused first. They belong to a thread, so that they are freed when the thread
    /// ends.
    static FREE: RefCell<VecDeque<Vec<f32>>> = const { RefCell::new(VecDeque::new()) };
}

/// Memory for `len` values. It may hold old values, so every user has to write all of it.
pub(super) fn memory(len: usize) -> Vec<f32> {
    let fits = |block: &Vec<f32>| (len..=len + len / 2).contains(&block.capacity());
    let found = FREE.with_borrow_mut(|free| {
        let best = (0..free.len())
            .filter(|&i| fits(&free[i]))
            .min_by_key(|&i| free[i].capacity());
        best.and_then(|i| free.remove(i))
    });
    match found {
        Some(mut block) => {
            block.resize(len, 0.0);
            block
        }
        None => vec![0.0; len],
    }
}

/// Values whose memory is used again for the next values of about the same number.
#[derive(Debug)]
pub(super) struct Reused(Vec<f32>);

impl Reused {
    /// Values of any kind, all of which the user has to write.
    pub(super) fn any(len: usize) -> Self {
        Self(memory(len))
    }

    /// The values, whose memory the caller keeps.
    pub(super) fn take(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<f32>> for Reused {
    fn from(values: Vec<f32>) -> Self {
        Self(values)
    }
}

impl Deref for Reused {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Reused {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for Reused {
    fn drop(&mut self) {
        let values = self.take();
        if values.capacity() >= SMALL {
            // While a thread ends, its store may be gone already: then the memory is simply freed.
            let _ = FREE.try_with(|free| {
                if let Ok(mut free) = free.try_borrow_mut() {
                    free.push_back(values);
                    if free.len() > KEPT {
                        free.pop_front();
                    }
                }
            });
        }
    }
}
