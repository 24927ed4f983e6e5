//! Dreams that were finished lately, so that going back to one is instant: as many as fit into a bound.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::workshop::Dream;

/// The most pixels of all together: a pixel takes 12 bytes or more.
const MOST_PIXELS: u64 = 32_000_000;

/// How many there are at the most.
const MOST: usize = 32;

/// The dreams by what they are known by, the newest first.
#[derive(Default)]
pub(super) struct Recent(VecDeque<(String, Arc<dyn Dream>)>);

impl Recent {
    pub(super) fn get(&self, key: &str) -> Option<Arc<dyn Dream>> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, dream)| dream.clone())
    }

    /// Keeps a dream in place of the one of this key. The oldest go for it; it stays itself, however large it is.
    pub(super) fn keep(&mut self, key: String, dream: Arc<dyn Dream>) {
        self.0.retain(|(known, _)| *known != key);
        self.0.push_front((key, dream));
        let mut pixels = 0;
        let fits = |(_, dream): &&(String, Arc<dyn Dream>)| {
            let (width, height) = dream.size();
            pixels += u64::from(width) * u64::from(height);
            pixels <= MOST_PIXELS
        };
        let fit = self.0.iter().take_while(fits).count();
        self.0.truncate(fit.clamp(1, MOST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workshop::{Failure, Picture};

    struct Sized(u32, u32);

    impl Picture for Sized {
        fn size(&self) -> (u32, u32) {
            (self.0, self.1)
        }

        fn jpeg(&self, _: u32, _: u8) -> Vec<u8> {
            Vec::new()
        }
    }

    impl Dream for Sized {
        fn recipe(&self) -> &str {
            ""
        }

        fn file(&self, _: &str) -> Result<Vec<u8>, Failure> {
            Ok(Vec::new())
        }

        fn pixels(&self) -> Vec<u8> {
            Vec::new()
        }

        fn picture(self: Arc<Self>) -> Arc<dyn Picture> {
            self
        }
    }

    #[test]
    fn as_many_stay_as_fit_and_the_newest_does_in_any_case() {
        let mut recent = Recent::default();
        let mut keep = |key: &str, width, height| {
            recent.keep(key.to_owned(), Arc::new(Sized(width, height)));
            let all = ["a", "b", "c"];
            all.into_iter().filter(|key| recent.get(key).is_some()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(keep("a", 4000, 4000), "a");
        assert_eq!(keep("b", 4000, 4000), "a b");
        assert_eq!(keep("a", 4000, 4000), "a b");
        assert_eq!(keep("c", 400, 4000), "a c");
        assert_eq!(keep("b", 10_000, 10_000), "b");
        for number in 0..2 * MOST {
            recent.keep(number.to_string(), Arc::new(Sized(1, 1)));
        }
        assert_eq!(recent.0.len(), MOST);
    }
}
