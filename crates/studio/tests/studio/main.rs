//! The studio as pages and other programs see it.

mod dreams;
mod fake;
mod history;
mod library;
mod load;
mod malformed;
mod queue;
mod security;
