//! Signals, which a thread of their own waits for: Ctrl-C, the end of the session, a request to end, and
//! the end of the processor time that was granted.

use nix::sys::signal::{SigSet, Signal};

/// What asks the work to stop.
const STOPS: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGXCPU];

/// Shells add this to a signal's number for the exit code of what it has ended.
const SHELL: i32 = 128;

/// Listens from now on; to be called once, before there are other threads. Where that cannot be, the
/// system ends the program as it likes.
pub(crate) fn start() {
    // A write past the limit on a file's size is an error then, here and in programs started from here.
    let mut limit = SigSet::empty();
    limit.add(Signal::SIGXFSZ);
    let _ = limit.thread_block();

    let stops: SigSet =
        STOPS.into_iter().filter(|&stop| stop != Signal::SIGHUP || !outlives_session()).collect();
    if stops.thread_block().is_err() {
        return;
    }
    let wait = move || {
        while let Ok(signal) = stops.wait() {
            super::interrupt(u8::try_from(SHELL + signal as i32).unwrap_or(super::CTRL_C));
        }
    };
    if std::thread::Builder::new().name("signals".to_owned()).spawn(wait).is_err() {
        let _ = stops.thread_unblock();
    }
}

/// Whether the end of the session is ignored, as under `nohup`: it is not waited for then, since Linux
/// hands out what is ignored to those who wait.
fn outlives_session() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (Signal::SIGHUP as i32 - 1) & 1 == 1
}
