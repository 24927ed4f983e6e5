//! Where there are no signals, Ctrl-C alone is listened to.

/// Listens from now on; to be called once, before there are other threads. Where that cannot be, the
/// system ends the program as it likes.
pub(crate) fn start() {
    let _ = ctrlc::set_handler(|| super::interrupt(super::CTRL_C));
}
