#!/usr/bin/env python3
"""Memory that the program says a dream takes, against the memory that it took.

The program says it when it refuses a dream, so each is first run under limits that are too small for it, then
without a limit, with the peak measured. Findings are dreams that took more than was said, and dreams of which
far more was said than they took.

usage: memory.py PROGRAM [MODEL...]
"""
import itertools
import os
import re
import resource
import subprocess
import sys
import tempfile

MEGABYTE = 1 << 20
# What may be said beyond what is taken: a share, and what is the same for all dreams.
SHARE, SAME = 1.3, 24


def run(program, words, folder, limit=None):
    """Exit code, peak in MB and what was said on standard error."""

    def limited():
        if limit:
            resource.setrlimit(resource.RLIMIT_DATA, (limit * MEGABYTE, limit * MEGABYTE))

    process = subprocess.Popen(
        [program, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=limited
    )
    said = process.stderr.read().decode("utf-8", "replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * 1024 / 1e6, said


def said_memory(program, words, folder):
    """MB that the program says the dream takes, or None if it fits in the smallest limit it starts in."""
    for limit in (30, 45, 70, 100, 150, 250, 400, 700, 1200):
        code, _, said = run(program, words, folder, limit)
        found = re.search(r"takes ([\d.]+) ([kMG])B of memory", said)
        if found:
            return float(found[1]) * {"k": 1e-3, "M": 1, "G": 1e3}[found[2]]
        if code == 0:
            return None
    return None


def main():
    program, models = os.path.abspath(sys.argv[1]), [os.path.abspath(model) for model in sys.argv[2:]]
    networks = [[]] + [["--model", model] for model in models]
    recipes = [[], ["--preset", "tensorflow"], ["--preset", "hvass"], ["--preset", "tensorflow-laplacian"]]
    findings = dreams = 0
    with tempfile.TemporaryDirectory() as folder:
        for network, recipe, size, threads in itertools.product(networks, recipes, (300, 700, 1200), (1, 2)):
            words = ["image", "--noise", f"{size}x{size * 3 // 4}", "-i", "1", "-q", "-f", "-o", "dream.png"]
            words += ["--threads", str(threads), *network, *recipe]
            said = said_memory(program, words, folder)
            code, peak, text = run(program, words, folder)
            dreams += 1
            wrong = code != 0 or said is not None and not peak <= said <= SHARE * peak + SAME
            if wrong:
                findings += 1
            told = "nothing" if said is None else f"{said:.0f} MB"
            print(f"{'!' if wrong else ' '} said {told}, took {peak:.0f} MB, exit {code}: {' '.join(words)}")
            if code != 0:
                print(text.strip())
    print(f"{dreams} dreams, {findings} findings")
    sys.exit(findings > 0)


main()
