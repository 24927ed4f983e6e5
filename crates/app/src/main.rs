//! The `deepdream` program.

fn main() {}
