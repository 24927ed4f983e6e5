//! How many tests passed, from what they write.

use std::fmt;

/// The tests of one or more runs of `cargo test`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// Counts what a line says, if it is one with the result of a test program.
    pub(crate) fn count(&mut self, line: &str) {
        let Some(result) = line.trim_start().strip_prefix("test result: ") else { return };
        for part in result.split(['.', ';']) {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_add_up() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.40s",
            "test passed ... ok",
            "test result: FAILED. 10 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 7.00s",
        ] {
            tally.count(line);
        }
        assert_eq!(tally, Tally { passed: 12, failed: 1, skipped: 3 });
        assert_eq!(tally.to_string(), "12 passed, 1 failed, 3 skipped");
    }

    #[test]
    fn nothing_skipped_is_not_said() {
        assert_eq!(Tally { passed: 5, failed: 0, skipped: 0 }.to_string(), "5 passed, 0 failed");
    }
}
