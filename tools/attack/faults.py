#!/usr/bin/env python3
"""Kills the program, and lets its disk fail, at every call that changes a file.

Each command is run once undisturbed. Then, again and again from the same start, it is killed at one of its
calls, or that call and all after it fail. After that, whatever stands under a name of the undisturbed run has
its bytes, an error has its exit code and leaves nothing behind, and the same command, run once more, ends with
the same files. See README.md.
"""
import argparse, collections, os, pathlib, random, shutil, struct, subprocess, sys, tempfile, time, zlib

HERE = pathlib.Path(__file__).resolve().parent
QUICK = ["-q", "--layer", "conv1", "--octaves", "1", "--iterations", "1"]
PROGRAM, FFMPEG = "program", "ffmpeg"
FAULTS = ["kill", "tear", "ENOSPC", "EIO", "EFBIG"]
# How many threads can be started at the most, in turn.
THREADS = range(12)
# Errors that the exit codes know: an input, a network, an output, too little of the machine.
EXPECTED = {2, 3, 4, 6, 7}


def png(path, width=40, height=28, shift=0):
    """Writes a small picture."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(
        b"\0" + bytes((x * y + 3 * x + shift) % 256 for x in range(3 * width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
                     + chunk(b"IEND", b""))


def photo(folder, network):
    png(folder / "a.png")
    png(folder / "b.png", shift=50)


def frames(folder, network):
    (folder / "sky").mkdir()
    png(folder / "sky/img_0.png")


def finished(folder, network):
    frames(folder, network)
    for number in range(1, 8):
        png(folder / f"sky/img_{number}.png", shift=9 * number)


def clip(folder, network):
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=12:duration=0.6",
                    "-f", "lavfi", "-i", "sine=duration=0.6", "-c:v", "libx264", "-pix_fmt", "yuv420p",
                    "-fflags", "+bitexact", "clip.mp4"], cwd=folder, check=True)


def model(folder, network):
    shutil.copy(network, folder / "model.safetensors")


# Name, what is there before, the command line, what is added when it is run again, whose calls count.
COMMANDS = [
    ("image", photo, ["image", "a.png", "-o", "o.png", "--save-recipe", "o.toml", *QUICK], ["-f"], PROGRAM),
    ("batch", photo, ["image", "a.png", "b.png", "-o", "out", *QUICK], ["-f"], PROGRAM),
    ("frames", frames, ["frames", "sky", "-n", "5", *QUICK], [], PROGRAM),
    ("movie", finished, ["movie", "sky", "-o", "m.mp4", "-q"], ["-f"], PROGRAM),
    ("movie gif", finished, ["movie", "sky", "-o", "m.gif", "-q"], ["-f"], PROGRAM),
    ("movie mkv", finished, ["movie", "sky", "-o", "m.mkv", "-q"], ["-f"], FFMPEG),
    ("zoom", photo, ["zoom", "a.png", "-o", "z.mp4", "--seconds", "0.2", *QUICK], ["-f"], PROGRAM),
    ("video", clip, ["video", "clip.mp4", "-o", "v.mp4", *QUICK], [], PROGRAM),
    ("video mov", clip, ["video", "clip.mp4", "-o", "v.mov", *QUICK], [], FFMPEG),
    ("video independent", clip,
     ["video", "clip.mp4", "-o", "v.mp4", "--coherence", "independent", *QUICK], [], PROGRAM),
    ("models add", model, ["models", "add", "model.safetensors", "--name", "mine"], [], PROGRAM),
]


class Attack:
    def __init__(self, program, network, seed):
        self.program, self.network = program, network
        self.random = random.Random(seed)
        self.room = pathlib.Path(tempfile.mkdtemp(prefix="attack-"))
        self.shim = self.room / "faults.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", self.shim, HERE / "faults.c", "-ldl"], check=True)
        self.tally, self.findings = collections.Counter(), []

    def start(self, prepare):
        """A folder as it is before the command."""
        source = self.room / prepare.__name__
        if not source.exists():
            source.mkdir()
            prepare(source, self.network)
        folder = self.room / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        return folder

    def run(self, folder, line, **fault):
        env = {**os.environ, "DEEPDREAM_HOME": str(folder / "home"), **fault}
        if fault:
            env["LD_PRELOAD"] = str(self.shim)
            if fault["FAULT_ONLY"] == PROGRAM:
                env["FAULT_ONLY"] = os.path.basename(self.program)
        try:
            done = subprocess.run([self.program, *line], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=120)
        except subprocess.TimeoutExpired:
            return "no end", ""
        return done.returncode, done.stderr.decode(errors="replace")

    def attack(self, command, minutes):
        name, prepare, line, again, only = command
        folder = self.start(prepare)
        log = self.room / "count"
        code, said = self.run(folder, line, FAULT_LOG=str(log), FAULT_ONLY=only)
        if code != 0:
            sys.exit(f"{name}: the undisturbed run ended with {code}: {said}")
        wanted, points = files(folder), int(log.read_text())
        end, faults = time.monotonic() + 60 * minutes, FAULTS if only == PROGRAM else FAULTS[2:]
        todo = [(fault, at) for fault in faults for at in range(points)]
        todo += [("threads", most) for most in THREADS if only == PROGRAM]
        self.random.shuffle(todo)
        tried = 0
        for fault, at in todo:
            if time.monotonic() > end:
                break
            tried += 1
            self.once(command, wanted, fault, at)
        print(f"{name:18} {points:5} calls, {tried:5} of {len(todo)} faults tried, "
              f"{len(self.findings)} findings so far", flush=True)

    def once(self, command, wanted, fault, at):
        name, prepare, line, again, only = command
        folder = self.start(prepare)
        code, said = self.run(folder, line, FAULT=fault, FAULT_AT=str(at), FAULT_ONLY=only)
        self.tally["kills" if code == -9 else "failures" if code else "without effect"] += 1
        wrong = []
        if code == "no end" or "panicked" in said or not (code == 0 or code == -9 or code in EXPECTED):
            wrong.append(f"ended with {code}: {said[:300]}")
        here = files(folder)
        if code == 0 and here != wanted:
            wrong.append(f"claims success: {differences(here, wanted)}")
        for file in here.keys() & wanted.keys():
            if here[file] != wanted[file]:
                wrong.append(f"left a part of {file}")
        if code not in (0, -9) and (left := leftovers(folder)):
            wrong.append(f"left {left}")
        if code != 0:
            code, said = self.run(folder, line + again)
            # Killed after all was done, there is nothing to add any more.
            taken = name == "models add" and code == 2
            if code != 0 and not taken:
                wrong.append(f"the next run ended with {code}: {said[:300]}")
            if (now := files(folder)) != wanted:
                wrong.append(f"the next run made something else: {differences(now, wanted)}")
            if left := leftovers(folder):
                wrong.append(f"the next run left {left}")
        for what in wrong:
            self.findings.append(f"{name}, {fault} at call {at}: {what}")
            print("FOUND", self.findings[-1], flush=True)


def files(folder):
    """Every file that is the user's, with its bytes."""
    paths = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = {path.relative_to(folder): path for path in paths}
    return {str(name): path.read_bytes() for name, path in names.items()
            if not any(part.startswith(".") for part in name.parts)}


def leftovers(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".deepdream-*"))


def differences(here, wanted):
    missing, more = sorted(wanted.keys() - here.keys()), sorted(here.keys() - wanted.keys())
    other = sorted(name for name in here.keys() & wanted.keys() if here[name] != wanted[name])
    return f"missing {missing}, more {more}, other bytes {other}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="deepdream, best a release build")
    parser.add_argument("--minutes", type=float, default=60, help="for all commands together (60)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--network", type=pathlib.Path, default=None,
                        help="a SqueezeNet as .safetensors for `models add` (the one in the repository)")
    parser.add_argument("--only", help="commands whose names contain this")
    args = parser.parse_args()
    repository = HERE.parent.parent
    network = args.network or next(repository.glob("crates/models/**/*.safetensors"))
    attack = Attack(os.path.abspath(args.program), network.resolve(), args.seed)
    commands = [it for it in COMMANDS if (args.only or "") in it[0]]
    if not shutil.which("ffmpeg"):
        commands = [it for it in commands if it[1] is not clip and it[4] != FFMPEG]
        print("left out: what needs ffmpeg")
    try:
        for command in commands:
            attack.attack(command, args.minutes / len(commands))
    finally:
        shutil.rmtree(attack.room, ignore_errors=True)
    tally = ", ".join(f"{count} {what}" for what, count in sorted(attack.tally.items()))
    print(f"{sum(attack.tally.values())} fault points: {tally}; findings: {len(attack.findings) or 'none'}")
    return bool(attack.findings)


if __name__ == "__main__":
    sys.exit(main())
