//! Who may come in. The program opens the page with a code in the address's fragment, which goes to no server
//! and works once; the page gives it for the token, with which everything may be changed, and the key, which
//! opens pictures and events where no header can be sent.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::secret::Secret;
use crate::workshop::Failure;

/// How long a code works.
const CODE_LIVES: Duration = Duration::from_secs(60);

/// How many wrong guesses a minute are answered.
const GUESSES: usize = 10;

/// The secrets of one run.
pub(crate) struct Session {
    pub(crate) token: Secret,
    pub(crate) key: Secret,
    codes: Mutex<Codes>,
}

#[derive(Default)]
struct Codes {
    /// Codes that were given out, and when.
    open: Vec<(Secret, Instant)>,
    /// Those that have been used.
    used: Vec<Secret>,
    /// When there were wrong guesses.
    wrong: Vec<Instant>,
}

/// What a guess is answered with.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    TooMany,
    Wrong(Failure),
}

impl Session {
    /// New secrets, or the token that the user brings.
    ///
    /// # Errors
    /// A system that gives no random bits.
    pub(crate) fn new(token: Option<String>) -> std::io::Result<Self> {
        let token = token.map_or_else(Secret::new, |text| Ok(Secret::given(text)))?;
        Ok(Self { token, key: Secret::new()?, codes: Mutex::default() })
    }

    /// A code that opens one window.
    ///
    /// # Errors
    /// A system that gives no random bits.
    pub(crate) fn code(&self) -> std::io::Result<String> {
        let code = Secret::new()?;
        let text = code.text().to_owned();
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.open.push((code, Instant::now()));
        Ok(text)
    }

    /// Whether a code or a token opens the studio. A code is used up.
    pub(crate) fn open(&self, guess: &str, is_code: bool) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let within = |since: &Instant, span| now.duration_since(*since) < span;
        codes.wrong.retain(|since| within(since, Duration::from_secs(60)));
        if codes.wrong.len() >= GUESSES {
            return Err(Refusal::TooMany);
        }
        if !is_code {
            if self.token.is(guess) {
                return Ok(());
            }
            codes.wrong.push(now);
            let what = "This is not the token of the studio that runs.";
            return Err(Refusal::Wrong(Failure::new("closed", what)));
        }
        if let Some(place) = codes.open.iter().position(|(code, _)| code.is(guess)) {
            let (code, since) = codes.open.remove(place);
            codes.used.push(code);
            return match within(&since, CODE_LIVES) {
                true => Ok(()),
                false => Err(Refusal::Wrong(expired("This link has expired."))),
            };
        }
        if codes.used.iter().any(|code| code.is(guess)) {
            return Err(Refusal::Wrong(expired(
                "This link was used already: it opens one window.",
            )));
        }
        codes.wrong.push(now);
        Err(Refusal::Wrong(expired("This link is not of the studio that runs.")))
    }
}

fn expired(what: &str) -> Failure {
    Failure::new("closed", what)
        .way_out("Run `deepdream studio` again: it opens a new window of the studio that runs.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once_and_guesses_are_few() {
        let session = Session::new(None).unwrap();
        let code = session.code().unwrap();
        assert_eq!(session.open(&code, true), Ok(()));
        let again = session.open(&code, true);
        assert!(matches!(&again, Err(Refusal::Wrong(why)) if why.detail.contains("already")));
        let token = session.token.text().to_owned();
        assert_eq!(session.open(&token, false), Ok(()));
        for _ in 0..GUESSES {
            assert!(matches!(session.open("guess", false), Err(Refusal::Wrong(_))));
        }
        // Even the right one then.
        assert_eq!(session.open(&token, false), Err(Refusal::TooMany));
    }
}
