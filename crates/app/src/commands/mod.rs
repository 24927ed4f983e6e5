//! What each subcommand takes and does.

pub(crate) mod generate;
