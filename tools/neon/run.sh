#!/usr/bin/env bash
# Runs the tests of the kernels crate on an emulated ARM machine, for the NEON level is otherwise run by
# none of the checks. A whole machine is emulated, since qemu's user mode can hang where a program starts
# threads: Debian's ARM kernel boots into an initramfs of busybox and the tests, linked statically. Its
# processor is a Cortex-A72, which has NEON and nothing newer. Ends with 0 only if all tests pass there.
#
#   tools/neon/run.sh     on Debian 12, x86-64, as root, in the root of a checkout
#
# Installs Debian packages (Rust, a linker and the emulator) and writes below target/neon.
set -euo pipefail
[ -d crates/kernels ] || { echo "run this in the root of a checkout" >&2; exit 1; }
triple=aarch64-unknown-linux-gnu
mkdir -p target/neon
cd target/neon
rm -rf packages root log
mkdir -p packages root/bin root/dev root/proc root/tests

echo "== packages"
export DEBIAN_FRONTEND=noninteractive
dpkg --add-architecture arm64
apt-get update -q
apt-get install -q -y --no-install-recommends cargo-web rustc-web libstd-rust-web-dev \
    libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-system-arm cpio
kernel=$(apt-cache depends linux-image-arm64:arm64 | awk '/Depends: linux-image-/ { print $2; exit }')
(cd packages && apt-get download -q -o APT::Sandbox::User=root "$kernel" busybox-static:arm64)
for package in packages/*.deb; do
    dpkg-deb -x "$package" packages
done

echo "== tests"
# Debian's cargo and rustc, whatever else is installed: they come with the library for ARM.
(
    cd ../..
    export PATH=/usr/bin:$PATH RUSTFLAGS="-C target-feature=+crt-static"
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    cargo test --locked --no-run -p deepdream-kernels --lib --test '*' --target $triple \
        --target-dir target/neon/build --message-format json-render-diagnostics
) >messages
grep -o '"executable":"[^"]*"' messages | cut -d '"' -f 4 | while read -r test; do
    cp "$test" root/tests
done

echo "== machine"
cp packages/bin/busybox root/bin
cat >root/init <<'END'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox mount -t proc none /proc
all=passed
for test in /tests/*; do
    echo "-- $test"
    "$test" || all=failed
done
echo "all tests: $all"
/bin/busybox poweroff -f
END
chmod +x root/init
(cd root && find . | cpio -o -H newc --quiet | gzip) >initramfs
timeout --foreground 3600 qemu-system-aarch64 -M virt -cpu cortex-a72 -smp 1 -m 2048 -no-reboot -nic none \
    -display none -monitor none -serial stdio -kernel packages/boot/vmlinuz-* -initrd initramfs \
    -append "console=ttyAMA0 quiet panic=-1" </dev/null | tr -d '\r' | tee log
grep -qx "all tests: passed" log
