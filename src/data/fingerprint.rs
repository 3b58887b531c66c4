//! The hash that shows whether a data set has changed.

use crate::random::Random;
use crate::text::{FNV_OFFSET, FNV_PRIME};

/// FNV-1a over words of eight bytes, finished as SplitMix64: not cryptographic, the same on every machine.
pub(super) struct Hash {
    state: u64,
    pending: Vec<u8>,
}

impl Default for Hash {
    fn default() -> Self {
        Self {
            state: FNV_OFFSET,
            pending: Vec::new(),
        }
    }
}

impl Hash {
    pub(super) fn bytes(&mut self, mut bytes: &[u8]) {
        if !self.pending.is_empty() || bytes.len() < 8 {
            let take = bytes.len().min(8 - self.pending.len());
            self.pending.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if self.pending.len() < 8 {
                return;
            }
            let word = std::mem::take(&mut self.pending);
            self.words(&word);
        }
        let whole = bytes.len() / 8 * 8;
        self.words(&bytes[..whole]);
        self.pending.extend_from_slice(&bytes[whole..]);
    }

    fn words(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks::<8>();
        for word in words {
            self.state = (self.state ^ u64::from_le_bytes(*word))
                .wrapping_mul(FNV_PRIME)
                .rotate_left(23);
        }
    }

    pub(super) fn finish(mut self) -> u64 {
        self.pending.resize(8, 0);
        let rest = std::mem::take(&mut self.pending);
        self.words(&rest);
        Random::new(self.state, "fingerprint", 0, 0).next_u64()
    }
}
