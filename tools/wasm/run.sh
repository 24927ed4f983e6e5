#!/usr/bin/env bash
# Builds the crates that dream for wasm32-unknown-unknown, and makes a dream of 64×48 in Node, which must
# have the bytes that the scalar level gives here.
#
#   tools/wasm/run.sh     on Debian 12, x86-64, as root, in the root of a checkout
#
# Installs Debian packages (Rust with its library's source, a linker and Node) and writes below target/wasm.
set -euo pipefail
[ -d crates/kernels ] || { echo "run this in the root of a checkout" >&2; exit 1; }
triple=wasm32-unknown-unknown
out=$PWD/target/wasm
mkdir -p "$out"

echo "== packages"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends cargo-web rustc-web rust-web-src lld-14 nodejs

# Debian's cargo and rustc, whatever else is installed: they come with the library's source.
build() {
    PATH=/usr/bin:$PATH RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C linker=wasm-ld-14 -C linker-flavor=wasm-ld" \
        cargo build --release -Zbuild-std=std,panic_abort --target $triple --target-dir "$out" "$@"
}
echo "== crates"
build --locked --no-default-features -p deepdream-kernels -p deepdream-graph -p deepdream-cpu \
    -p deepdream-import -p deepdream-dream
echo "== dream"
build --manifest-path tools/wasm/Cargo.toml --lib
module=$out/$triple/release/wasm.wasm
time node tools/wasm/run.mjs "$module" "$out/wasm.rgb"
DEEPDREAM_CPU=scalar cargo run --release --target-dir "$out/native" --manifest-path tools/wasm/Cargo.toml \
    >"$out/native.rgb"

ls -l "$module"
sha256sum "$out/native.rgb" "$out/wasm.rgb"
cmp "$out/native.rgb" "$out/wasm.rgb"
echo "the same $(wc -c <"$out/wasm.rgb") bytes"
