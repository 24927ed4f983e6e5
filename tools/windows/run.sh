#!/usr/bin/env bash
# Builds the Windows program on Linux, one file with nothing beside it, and runs the command line's tests and
# some dreams under Wine, which must have the very bytes they have here.
#
#   tools/windows/run.sh     on Debian 12, x86-64, as root, in the root of a checkout
#
# Installs Debian packages (Rust with its library's source, MinGW and Wine) and writes below target/windows.
# There is no ffmpeg for Windows in Debian: tests that need it are left out.
set -euo pipefail
[ -d crates/cli ] || { echo "run this in the root of a checkout" >&2; exit 1; }
triple=x86_64-pc-windows-gnu
out=$PWD/target/windows
mkdir -p "$out"

echo "== packages"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends cargo-web rustc-web rust-web-src wine wine64 \
    gcc-mingw-w64-x86-64-posix g++-mingw-w64-x86-64-posix

echo "== Linux"
cargo build --release --locked
linux=$PWD/target/release/deepdream

echo "== Windows"
export WINEPREFIX=$out/wine WINEDEBUG=-all
mkdir -p "$out/build"
/usr/lib/wine/wine64 wineboot --init
x86_64-w64-mingw32-gcc-posix -shared -O2 -static-libgcc tools/windows/prng.c -ladvapi32 \
    -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll"
# Debian's cargo and rustc, whatever else is installed: they come with the library's source. What is C++ is
# linked statically, so that the program needs no library but the system's.
(
    export PATH=/usr/bin:$PATH RUSTC_BOOTSTRAP=1
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc-posix
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=/usr/lib/wine/wine64
    export CC_x86_64_pc_windows_gnu=x86_64-w64-mingw32-gcc-posix
    export CXX_x86_64_pc_windows_gnu=x86_64-w64-mingw32-g++-posix
    export AR_x86_64_pc_windows_gnu=x86_64-w64-mingw32-gcc-ar-posix
    export CXXSTDLIB_x86_64_pc_windows_gnu=static=stdc++
    libraries=$(dirname "$($CXX_x86_64_pc_windows_gnu -print-file-name=libstdc++.a)")
    export RUSTFLAGS="-L native=$libraries -C link-arg=-static"
    unset DEEPDREAM_SHARED
    cargo test --locked --release -Zbuild-std --target $triple --target-dir "$out/build" \
        -p deepdream-cli --no-fail-fast
) 2>&1 | tee "$out/log"
program=$out/build/$triple/release/deepdream.exe

echo "== one file"
x86_64-w64-mingw32-objdump -p "$program" | awk '/DLL Name:/ { print $3 }' | sort | tee "$out/libraries"
if grep -iE 'stdc|gcc|pthread' "$out/libraries"; then
    echo "the program needs a library beside it" >&2
    exit 1
fi

echo "== the same bytes"
photo=$PWD/examples/coffee.png
cd "$out"
rm -rf dreams
mkdir -p dreams/linux dreams/windows
dream() {
    DEEPDREAM_HOME=$out/home "$linux" "$@" -q -o "dreams/linux/$name"
    DEEPDREAM_HOME=home /usr/lib/wine/wine64 "$program" "$@" -q -o "dreams/windows/$name"
    cmp "dreams/linux/$name" "dreams/windows/$name"
    echo "$name: $(sha256sum <"dreams/windows/$name")"
}
cp "$photo" photo.png
name=still.png dream image photo.png
name=hvass.jpg dream image photo.png --preset hvass --size 300
name=laplacian.webp dream image photo.png --preset tensorflow-laplacian --size 300
name=zoom.mp4 dream zoom photo.png --seconds 0.5 --size 200 --motion spiral
name=fall.gif dream zoom photo.png --seconds 0.5 --size 100 --iterations 4
ls -l "$program"
grep '^test result:' log
