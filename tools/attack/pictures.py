#!/usr/bin/env python3
"""Mutated pictures and videos through the program: no crash, no hang, no more memory than it may take.

usage: tools/attack/pictures.py PROGRAM [--minutes M] [--seed N] [--videos]

The seeds are the pictures of the tests and dreams that the program makes itself, in every format; with --videos,
short movies that it makes of them. Each mutant is dreamt on for one step that changes nothing. A finding is a
signal, a panic, a run that does not end, or one that takes more memory than the picture's header can
justify; its mutant is kept beside this script's report. First come files that are sparse: a good beginning,
then gigabytes of nothing.
"""
import argparse
import os
import pathlib
import random
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib

# Bytes that a run may take beside what its pictures' headers say, and seconds.
MEMORY = 700 << 20
ADDRESSES = 4 << 30
TIMEOUT = 40
SPARSE = 6 << 30
# The errors that the program has words for; everything else is a finding.
EXPECTED = {0, 2, 3, 4, 5, 6, 7, 8}
STILL = "--layer conv1 --octaves 1 --iterations 1 --step 0 --size 64 --force -q".split()
FORMATS = ["png", "jpg", "webp", "tif", "bmp"]
DATA = ["crates/media/tests/data", "fuzz/seeds/picture"]


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(program, arguments, folder, environment):
    """The exit status, the text, and the most bytes that were resident."""
    out = open(folder / "said", "w+b")
    child = subprocess.Popen(
        [program, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        preexec_fn=limited,
        start_new_session=True,
    )
    end = time.monotonic() + TIMEOUT
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > end:
            child.kill()
            os.wait4(child.pid, 0)
            child.returncode = -9
            return None, "", 0
        time.sleep(0.005)
    child.returncode = os.waitstatus_to_exitcode(status)
    out.seek(0)
    return child.returncode, out.read(1 << 16).decode(errors="replace"), usage.ru_maxrss << 10


def wrong(status, text, memory):
    """What is wrong with a run, or None."""
    if status is None:
        return f"no end after {TIMEOUT} s"
    if status not in EXPECTED or "panicked" in text:
        return f"status {status}: {text.strip()[:300]}"
    if status and not text.strip():
        return f"status {status} without a word"
    if memory > MEMORY:
        return f"{memory >> 20} MB of memory"
    return None


def with_sums(data):
    """A PNG whose chunks have right checksums again, so that more than the first mutation is seen."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + size > len(data):
            break
        body = bytes(data[at + 4 : at + 8 + size])
        out += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    return out + data[at:]


def mutant(seed, chance):
    """A copy of the bytes, broken in a few places; headers more often than the rest."""
    data = bytearray(seed)
    place = lambda: min(int(chance.random() ** chance.choice([1, 4]) * len(data)), len(data) - 1)
    for _ in range(chance.choice([1, 1, 2, 3, 6])):
        if len(data) < 2:
            break
        at, kind = place(), chance.randrange(8)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice([0, 1, 127, 128, 254, 255, chance.randrange(256)])
        elif kind == 2:
            data[at:at] = data[at : at + chance.randrange(1, 64)]
        elif kind == 3:
            del data[at : at + chance.randrange(1, 16)]
        elif kind == 4:
            order = chance.choice("<>")
            huge = chance.choice([0, 1, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF])
            data[at : at + 4] = struct.pack(order + "I", huge)
        elif kind == 5:
            del data[at:]
        elif kind == 6:
            other, size = place(), chance.randrange(1, 64)
            data[at : at + size] = data[other : other + size]
        else:
            data[at : at + 2] = struct.pack(chance.choice("<>") + "H", chance.choice([0, 1, 9, 65535]))
    if data[:4] == b"\x89PNG" and chance.random() < 0.7:
        data = with_sums(data)
    return bytes(data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--videos", action="store_true")
    options = parser.parse_args()
    program = str(pathlib.Path(options.program).resolve())
    root = pathlib.Path(__file__).resolve().parents[2]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="attack-"))
    kept = folder / "findings"
    kept.mkdir()
    environment = {**os.environ, "DEEPDREAM_HOME": str(folder / "home")}
    chance = random.Random(options.seed)

    seeds = []
    for data in DATA:
        files = sorted((root / data).glob("*")) if (root / data).is_dir() else []
        seeds += [(path.suffix, path.read_bytes()) for path in files]
    first = root / "crates/media/tests/data/plain.png"
    for ending in FORMATS:
        made = ["image", str(first), "-o", f"seed.{ending}", *STILL]
        assert run(program, made, folder, environment)[0] == 0, ending
        seeds.append((f".{ending}", (folder / f"seed.{ending}").read_bytes()))
    findings = runs = 0

    def attack(name, arguments):
        nonlocal findings, runs
        runs += 1
        problem = wrong(*run(program, arguments, folder, environment))
        if problem:
            findings += 1
            where = kept / f"{findings:04}{pathlib.Path(name).suffix}"
            if (folder / name).stat().st_size < 1 << 24:
                shutil.copy(folder / name, where)
            print(f"{name} {where}: {problem}", flush=True)

    for suffix, data in seeds:
        for share in [0.3, 1]:
            name = f"sparse{suffix}"
            (folder / name).write_bytes(data[: int(len(data) * share)])
            os.truncate(folder / name, SPARSE)
            attack(name, ["image", name, "-o", "out.png", *STILL])
            (folder / name).unlink()
    if options.videos:
        seeds = []
        frames = folder / "clip"
        frames.mkdir()
        for number in range(4):
            shutil.copy(first, frames / f"img_{number}.png")
        for ending in ["mp4", "mov", "mkv", "webm", "gif"]:
            codec = ["--codec", "vp9"] if ending == "webm" else []
            made = ["movie", "clip", "-o", f"clip.{ending}", *codec]
            assert run(program, made, folder, environment)[0] == 0, ending
            seeds.append((f".{ending}", (folder / f"clip.{ending}").read_bytes()))

    end = time.monotonic() + options.minutes * 60
    while time.monotonic() < end:
        suffix, data = chance.choice(seeds)
        name = f"mutant{suffix}"
        (folder / name).write_bytes(mutant(data, chance))
        if options.videos:
            attack(name, ["video", name, "-o", "out.mp4", "--coherence", "independent", *STILL])
            shutil.rmtree(folder / "out", ignore_errors=True)
        else:
            attack(name, ["image", name, "-o", f"out{chance.choice(['.png', '.jpg'])}", *STILL])
    print(f"{runs} mutants, {findings} findings, in {folder}")
    sys.exit(1 if findings else 0)


main()
