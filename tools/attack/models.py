#!/usr/bin/env python3
"""Mutated model files through the program: no crash, no hang, and no more memory than it may take.

usage: tools/attack/models.py PROGRAM [--minutes M] [--seed N] [FOLDER OF SEEDS...]

Each mutant is a seed with bytes flipped, cut, doubled, or numbers in it made huge. The program lists its
layers, and dreams one step on a picture of 48x32 if that goes well, with an address space of LIMIT bytes
and TIMEOUT seconds. A finding is a signal, a panic, or a run that does not end; its mutant is kept beside
this script's report. Without folders, the small networks in the tests and the fuzzers' seeds are taken.
"""
import argparse
import os
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib

LIMIT = 3 << 30
TIMEOUT = 60
MODELS = {".pb", ".caffemodel", ".prototxt", ".safetensors", ".meta", ".pth"}
# The errors that the program has words for; everything else is a finding.
EXPECTED = {0, 2, 3, 4, 5, 6, 7, 8}


def picture(path, width=48, height=32):
    """A PNG of a soft gradient."""
    rows = b"".join(
        b"\0" + bytes(v for x in range(width) for v in (x * 5, y * 7, (x + y) * 3))
        for y in range(height)
    )
    chunk = lambda kind, data: (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def mutant(seed, chance):
    """A copy of the bytes, broken in a few places."""
    data = bytearray(seed)
    # What stands before the weights says the most.
    place = lambda: min(int(chance.random() ** chance.choice([1, 3]) * len(data)), len(data) - 1)
    for _ in range(chance.choice([1, 1, 2, 4, 8])):
        if not data:
            break
        at, kind = place(), chance.randrange(8)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
        elif kind == 2:
            data[at:at] = data[at : at + chance.randrange(1, 64)]
        elif kind == 3:
            del data[at : at + chance.randrange(1, 16)]
        elif kind == 4:
            huge = chance.choice([1 << 16, 1 << 24, 1 << 31, 1 << 33, 1 << 40, (1 << 63) - 1])
            data[at : at + 1] = varint(huge)
        elif kind == 5:
            del data[at:]
        elif kind == 6:
            other = place()
            size = chance.randrange(1, 64)
            data[at : at + size] = data[other : other + size]
        else:
            data[at : at + 4] = struct.pack("<f", chance.choice([1e30, -1e30, 1e-30, 0.0, 3e38]))
    return bytes(data)


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(program, arguments, folder, environment):
    """What went wrong, or None, and the exit status."""
    try:
        done = subprocess.run(
            [program, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT,
            preexec_fn=limited,
        )
    except subprocess.TimeoutExpired:
        return f"no end after {TIMEOUT} s", None
    text = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode not in EXPECTED or "panicked" in text:
        return f"status {done.returncode}: {text.strip()[:300]}", done.returncode
    if any(ord(c) < 32 and c not in "\n\t" or 127 <= ord(c) < 160 for c in text):
        return f"control characters on the terminal: {text.strip()[:300]!r}", done.returncode
    return None, done.returncode


def seeds(folders):
    found = []
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            kind = path.suffix in MODELS or path.parent.name in {"caffemodel", "graphdef"}
            if path.is_file() and kind and path.stat().st_size < 1 << 20:
                found.append((path.name, path.read_bytes()))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    project = pathlib.Path(__file__).resolve().parents[2]
    folders = options.folders or [project / "crates/import/tests/data", project / "fuzz/seeds"]
    files = seeds(folders)
    if not files:
        sys.exit("there are no seeds")
    program, chance = options.program.resolve(), random.Random(options.seed)
    findings, runs, mutants, read = [], 0, 0, 0
    kept = pathlib.Path(tempfile.mkdtemp(prefix="attack-models-"))
    end = time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        picture(folder / "picture.png")
        environment = dict(os.environ, DEEPDREAM_HOME=str(folder / "home"), RUST_BACKTRACE="0")
        while time.monotonic() < end:
            name, seed = chance.choice(files)
            model = folder / f"mutant-{name}"
            model.write_bytes(mutant(seed, chance))
            if model.suffix == ".prototxt":
                beside = [data for other, data in files if other == model.stem[7:] + ".caffemodel"]
                model.with_suffix(".caffemodel").write_bytes(beside[0] if beside else b"")
            mutants += 1
            image = ["image", "picture.png", "-m", model.name, "--iterations", "1"]
            image += ["--octaves", "1", "--threads", "1", "-q", "-f", "-o", "dream.png"]
            for arguments in (["layers", "-m", model.name], image):
                runs += 1
                problem, status = run(program, arguments, folder, environment)
                if problem:
                    copy = kept / f"{len(findings):03}-{arguments[0]}-{name}"
                    copy.write_bytes(model.read_bytes())
                    findings.append(f"{copy}: {problem}")
                    print(findings[-1], flush=True)
                if status != 0:
                    break
                read += arguments[0] == "layers"
            for path in folder.glob("mutant-*"):
                path.unlink()
    print(f"{mutants} mutants of {len(files)} seeds, {read} read, {runs} runs, {len(findings)} findings")
    if not findings:
        kept.rmdir()
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
