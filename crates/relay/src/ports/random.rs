//! [`Random`]: numbers that nobody outside can guess.

/// Random numbers of the operating system, fetched some at a time.
#[derive(Debug)]
pub(crate) struct Random {
    bytes: [u8; 256],
    used: usize,
}

impl Random {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; 256], used: 256 }
    }

    /// A number below `bound`, each as likely as the others to one in 2^32 / `bound`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next()) * u64::from(bound)) >> 32) as u32
    }

    fn next(&mut self) -> u32 {
        if self.used == self.bytes.len() {
            getrandom::fill(&mut self.bytes).expect("the operating system gives random numbers");
            self.used = 0;
        }
        let number = self.bytes[self.used..].first_chunk().map_or(0, |b| u32::from_ne_bytes(*b));
        self.used += 4;
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_the_bound_comes_and_no_other() {
        let mut random = Random::new();
        let mut seen = [0u32; 10];
        for _ in 0..10_000 {
            seen[random.below(10) as usize] += 1;
        }
        // Each count is binomial with mean 1000 and deviation 30: outside these bounds once in 10^20 runs.
        assert!(seen.iter().all(|n| (700..1300).contains(n)), "{seen:?}");
    }
}
