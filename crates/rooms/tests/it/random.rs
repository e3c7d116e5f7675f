//! Random cases whose seed is printed, so that a failing run can be had again.

use std::hash::{BuildHasher, RandomState};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// Holds 2,000 cases of a strategy to `law`. The variable SEED repeats a run.
pub(crate) fn hold<S: Strategy>(cases: &S, law: impl Fn(S::Value)) {
    let given = std::env::var_os("SEED").and_then(|seed| seed.to_str()?.parse().ok());
    let seed: u64 = given.unwrap_or_else(|| RandomState::new().hash_one("seed"));
    eprintln!("SEED={seed} repeats this run");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new_with_rng(config, rng).run(cases, |case| {
        law(case);
        Ok(())
    });
    if let Err(broken) = run {
        panic!("seed {seed}: {broken}");
    }
}
