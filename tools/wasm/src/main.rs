//! The dream of the library, made here: its bytes go to standard output.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(&wasm::dreamt())
}
