#!/usr/bin/env python3
"""Makes the recipes in this folder, and what they dream, with version 0.1 of the program.

    make.py PROGRAM PHOTO    PROGRAM: deepdream 0.1; PHOTO: examples/coffee.png

Needs ffmpeg. README.md says what is what.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM, PHOTO = sys.argv[1:]
HERE = Path(__file__).parent
WORK = Path(tempfile.mkdtemp())
ENVIRONMENT = {**os.environ, "DEEPDREAM_HOME": str(WORK / "home")}
QUICK = ["--layer", "fire2/concat", "--octaves", "2", "--iterations", "2"]
MOTION = [
    "--motion", "spiral", "--zoom", "1.6", "--shift", "0.05,-0.1", "--centre", "0.4,0.6", "--fps", "10",
    "--ease-in", "0.2", "--ease-out", "0.1", "--pace", "6", "--levels", "0.7",
    "--at", "0s:layer=fire2/concat,step=2,zoom=1.2", "--at", "0.3s:layer=fire4/concat=0.5,step=4,jitter=9",
]
FRAMES = 4
cases = []


def run(*words, folder=WORK, level=None, **more):
    environment = ENVIRONMENT | ({"DEEPDREAM_CPU": level} if level else {})
    subprocess.run(words, cwd=folder, env=environment, check=True, **more)


def dream(*words, **more):
    run(PROGRAM, words[0], "-q", *words[1:], **more)


def pixels(*pictures):
    """SHA-256 of the pixels of pictures, one after another: rows from the top, red, green and blue a byte each."""
    digest = hashlib.sha256()
    for picture in pictures:
        words = ["ffmpeg", "-v", "error", "-i", picture, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        digest.update(subprocess.run(words, check=True, capture_output=True).stdout)
    return digest.hexdigest()


def case(job, recipe):
    """What the job makes of a recipe, at each level."""
    dreams = {}
    for level in ["scalar", "avx2", "avx512"]:
        room = Path(tempfile.mkdtemp(dir=WORK))
        for name in ["photo.png", "clip.mov"]:
            shutil.copy(HERE / name, room)
        path = HERE / recipe
        if job == "still":
            dream("image", "photo.png", "--recipe", path, "-o", "dream.png", folder=room, level=level)
            made = [room / "dream.png"]
        elif job == "noise":
            dream("image", "--recipe", path, "-o", "dream.png", folder=room, level=level)
            made = [room / "dream.png"]
        elif job == "frames":
            (room / "dream").mkdir()
            shutil.copy(HERE / "photo.png", room / "dream/img_0.png")
            count = ["--count", str(FRAMES)]
            dream("frames", "dream", "--recipe", path, *count, folder=room, level=level)
            made = [room / f"dream/img_{number}.png" for number in range(1, FRAMES)]
        elif job == "goes-on":
            shutil.copytree(path, room / "dream")
            dream("frames", "dream", "--count", str(FRAMES), folder=room, level=level)
            made = [room / f"dream/img_{number}.png" for number in range(1, FRAMES)]
        elif job == "video":
            words = ["clip.mov", "-o", "dream.mp4", "--keep", "--recipe", path]
            dream("video", *words, folder=room, level=level)
            made = sorted((room / "dream").glob("img_*.png"))
        elif job == "video-goes-on":
            shutil.copytree(path, room / "dream")
            dream("video", "clip.mov", "-o", "dream.mp4", "--keep", folder=room, level=level)
            made = sorted((room / "dream").glob("img_*.png"))
        dreams[level] = pixels(*made)
    cases.append({"job": job, "recipe": recipe, "dreams": dreams})


def text(name, recipe):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(recipe, newline="")
    return name


def inputs():
    scale = "crop=480:360:60:20,scale=48:36:flags=area"
    run("ffmpeg", "-v", "error", "-y", "-i", PHOTO, "-vf", scale, "-pix_fmt", "rgb24", HERE / "photo.png")
    # RGB that is kept as it is, for every ffmpeg to read the same pixels out of it.
    moves = "crop=480:360:60+3*n:20+2*n,scale=48:36:flags=area"
    loop = ["-loop", "1", "-framerate", "10", "-i", PHOTO, "-frames:v", "5", "-vf", moves]
    run("ffmpeg", "-v", "error", "-y", *loop, "-c:v", "png", "-pix_fmt", "rgb24", HERE / "clip.mov")


def carriers():
    """The recipe as it travels in what was dreamt."""
    (HERE / "carriers").mkdir(exist_ok=True)
    layers = ["--layer", "fire2/concat=0.5", "--layer", "conv1=-0.25"]
    knobs = [*layers, "--octaves", "2", "--octave-scale", "1.3", "--iterations", "3", "--step", "2.5"]
    for ending in ["png", "jpg", "webp", "tif"]:
        out = f"carriers/still.{ending}"
        words = [HERE / "photo.png", *knobs, "--jitter", "5", "--seed", "7", "-o", HERE / out]
        dream("image", *words, "--force")
        case("still", out)
    dream("image", "--noise", "40x32", *QUICK, "--seed", "9", "-o", HERE / "carriers/noise.png", "--force")
    case("noise", "carriers/noise.png")
    case("still", "carriers/noise.png")
    for ending in ["mp4", "gif", "png", "mkv", "webm", "mov"]:
        name = f"zoom.{ending}"
        words = ["--seconds", "0.4", "--quality", "small", *QUICK, *MOTION]
        # What it would be by default wants 64 pixels.
        words += ["--codec", "vp9"] if ending == "webm" else []
        dream("zoom", HERE / "photo.png", *words, "-o", WORK / name, "--force")
        shutil.copy(WORK / name, HERE / "carriers")
        case("frames", f"carriers/{name}")
    case("still", "carriers/zoom.mp4")
    for coherence, part in [("flow", ["--carry", "0.6"]), ("blend", ["--blend", "0.4"]), ("independent", [])]:
        name = f"video-{coherence}.mp4"
        words = ["--quality", "small", "--coherence", coherence, *part, *QUICK]
        dream("video", HERE / "clip.mov", "-o", WORK / name, *words)
        shutil.copy(WORK / name, HERE / "carriers")
        case("video", f"carriers/{name}")


def folders():
    """Runs that stopped halfway."""
    shutil.rmtree(HERE / "frames", ignore_errors=True)
    (HERE / "frames").mkdir()
    shutil.copy(HERE / "photo.png", HERE / "frames/img_0.png")
    motion = [word for word in MOTION if word not in ["--ease-out", "0.1"]]
    dream("frames", HERE / "frames", *QUICK, *motion, "--count", "3")
    case("goes-on", "frames")

    shutil.rmtree(HERE / "video", ignore_errors=True)
    work = Path("/tmp/videos")
    work.mkdir()
    shutil.copy(HERE / "clip.mov", work)
    words = [PROGRAM, "video", "clip.mov", "-o", "dream.mp4", "-q", *QUICK[:-1], "40"]
    run_ = subprocess.Popen(words, cwd=work, env=ENVIRONMENT)
    while not (work / "dream/img_2.png").exists():
        time.sleep(0.001)
    run_.send_signal(signal.SIGINT)
    assert run_.wait() == 130
    assert not (work / "dream/img_4.png").exists(), "it was too fast: try again"
    shutil.move(work / "dream", HERE / "video")
    shutil.rmtree(work)
    case("video-goes-on", "video")
    for lock in HERE.glob("*/.deepdream/lock*"):
        lock.unlink()


def presets():
    """What --save-recipe wrote."""
    (HERE / "saved").mkdir(exist_ok=True)
    for preset in ["default", "google", "tensorflow", "tensorflow-laplacian", "hvass"]:
        name = f"saved/{preset}.toml"
        words = [HERE / "photo.png", "--preset", preset, "--iterations", "3", "--save-recipe", HERE / name]
        dream("image", *words, "-o", WORK / "saved.png", "--force")
        case("still", name)
    name = "saved/noise.toml"
    words = ["--noise", "48x40", "--size", "40", "--seed", "9223372036854775807", *QUICK]
    dream("image", *words, "--save-recipe", HERE / name, "-o", WORK / "saved.png", "--force")
    case("noise", name)


# A layer for which a tile of 32 is not too small.
SHALLOW = 'layers = [{ name = "fire3/concat" }]\n'

# As people write them: what is missing takes the preset's value.
STILL = {
    "empty": "",
    "one-layer": '[[layers]]\nname = "fire4/concat"\n',
    "layers-inline": 'layers = [{ name = "fire2/concat" }, { name = "conv1", weight = -0.5 }]\niterations = 3\n',
    "negative-alone": 'layers = [{ name = "fire3/concat", weight = -1 }]\niterations = 3\n',
    "whole-numbers": "step = 2\noctave_scale = 2\nsmoothing = 1\nblur = 1\niterations = 2\n",
    "preset-changed": 'preset = "hvass"\nstep = 2\noctaves = 2\niterations = 2\n',
    "preset-other-tiles": 'preset = "hvass"\ntiles = "rolled"\niterations = 2\n',
    "preset-other-normalisation": 'preset = "tensorflow-laplacian"\nnormalisation = "std"\niterations = 2\n',
    "rolled": SHALLOW + 'tiles = "rolled"\ntile_size = 32\nseed = 3\niterations = 3\n',
    "rolled-plain": 'tiles = "rolled"\niterations = 2\n',
    "scattered": SHALLOW + 'tiles = "scattered"\ntile_size = 32\nseed = 4\niterations = 3\n',
    "scattered-smooth": SHALLOW + 'tiles = "scattered"\ntile_size = 40\nsmoothing = 0.5\nsmoothing_growth = 4\niterations = 3\n',
    "tile-size-of-whole": "tile_size = 32\niterations = 2\n",
    "laplacian": 'normalisation = "laplacian"\nlaplacian_levels = 2\niterations = 3\n',
    "laplacian-plain": 'normalisation = "laplacian"\niterations = 2\n',
    "laplacian-rolled": SHALLOW + 'normalisation = "laplacian"\nlaplacian_levels = 3\ntiles = "rolled"\n'
    "tile_size = 32\niterations = 2\n",
    "laplacian-scattered": SHALLOW + 'normalisation = "laplacian"\ntiles = "scattered"\ntile_size = 32\niterations = 2\n',
    "laplacian-levels-of-std": 'normalisation = "std"\nlaplacian_levels = 7\niterations = 2\n',
    "std": 'normalisation = "std"\niterations = 3\n',
    "mean-abs": 'normalisation = "mean-abs"\niterations = 3\n',
    "carry": 'detail = "carry"\niterations = 2\n',
    "blend": 'detail = "blend"\niterations = 2\n',
    "blend-share": 'detail = "blend"\nblend = 0.7\niterations = 2\n',
    "blend-of-carry": "blend = 0.9\niterations = 2\n",
    "replace": 'detail = "replace"\nblend = 0.9\niterations = 2\n',
    "smoothing": "smoothing = 1.5\nsmoothing_growth = 2.5\niterations = 4\n",
    "growth-alone": "smoothing = 0\nsmoothing_growth = 3\niterations = 4\n",
    "blur-lanczos": 'blur = 0.8\nfilter = "lanczos"\niterations = 2\n',
    "unclipped": "clip = false\nsubtract_mean = false\nstep = 60\niterations = 3\n",
    "size-up": "size = 60\niterations = 2\n",
    "size-down": "size = 40\njitter = 7\niterations = 2\n",
    "step-0": "step = 0\n",
    "no-jitter": "jitter = 0\niterations = 3\n",
    "jitter-seed": "jitter = 4096\nseed = 123456789\niterations = 3\n",
    "many-octaves": "octaves = 32\noctave_scale = 1.01\niterations = 1\n[[layers]]\nname = \"conv1\"\n",
    "dotted-model": 'model.name = "squeezenet"\niterations = 2\n',
    "older": 'version = "0.0.9"\niterations = 2\n',
    "windows-lines": '# my dream\r\niterations = 2 # two\r\n\r\n[[layers]]\r\nname = "fire3/concat"\r\n',
    "noise-on-photo": "iterations = 2\n[noise]\nwidth = 40\nheight = 32\n",
    "movie-on-photo": "iterations = 6\n[movie]\npace = 1\n[movie.motion]\nzoom = 3\n",
    "video-on-photo": 'iterations = 6\n[video]\ncoherence = "blend"\n',
}

NOISE = {
    "noise": "noise = { width = 40, height = 32 }\niterations = 2\nseed = 5\n",
    "noise-preset": 'preset = "hvass"\nnoise = { width = 33, height = 47 }\niterations = 2\n',
}

KEYS = "iterations = 4\n[movie]\nfps = 10\npace = 10\n"
MOVIE = {
    "movie-plain": "iterations = 2\n",
    "movie-empty": "iterations = 2\n[movie]\n",
    "motion": "iterations = 2\n[movie]\nfps = 12.5\nlength = 0.3\n[movie.motion]\nzoom = 0.8\nrotate = -40\n"
    "shift = [0.1, 0]\ncentre = [0.1, 0.9]\ntint = [30, 0, -60]\nease_in = 0.1\nease_out = 0.1\n",
    "levels-off": "iterations = 2\n[movie]\nlevels = 0\npace = 30\n",
    "keys-numbers": KEYS + "keys = [\n{ at = 0, set = { step = 1, octaves = 1, jitter = 0, smoothing = 0.0 } },\n"
    "{ at = 0.3, set = { step = 4.0, octaves = 2, jitter = 20, smoothing = 1.0, smoothing_growth = 2 } },\n]\n",
    "keys-layers": KEYS + '[[movie.keys]]\nat = 0\nset = { layers = [{ name = "fire2/concat" }] }\n'
    '[[movie.keys]]\nat = 0.3\nset = { layers = [{ name = "fire4/concat", weight = 2 }, { name = "conv1" }] }\n',
    "keys-one-layer": KEYS + '[[movie.keys]]\nat = 0.2\n[movie.keys.set]\nlayers = [{ name = "conv1", weight = -1 }]\n',
    "keys-motion": KEYS + "[[movie.keys]]\nat = 0\nset = { motion = { zoom = 1.0, shift = [0, 0.4] }, levels = 0.5 }\n"
    "[[movie.keys]]\nat = 0.2\nset = { motion = { zoom = 3, shift = [0.2, 0.0], rotate = 90, tint = [9, 9, 9] }, pace = 2 }\n",
    "keys-tiles": SHALLOW + 'tile_size = 32\n' + KEYS + '[[movie.keys]]\nat = 0.2\nset = { tiles = "rolled" }\n'
    '[[movie.keys]]\nat = 0.3\nset = { tiles = "scattered" }\n',
    "keys-tile-size": SHALLOW + 'preset = "tensorflow"\n' + KEYS + "[[movie.keys]]\nat = 0\nset = { tile_size = 32 }\n"
    "[[movie.keys]]\nat = 0.3\nset = { tile_size = 47 }\n",
    "keys-normalisation": "laplacian_levels = 2\n" + KEYS + '[[movie.keys]]\nat = 0.1\nset = { normalisation = "std" }\n'
    '[[movie.keys]]\nat = 0.2\nset = { normalisation = "laplacian" }\n[[movie.keys]]\nat = 0.3\nset = { laplacian_levels = 4 }\n',
    "keys-detail": "blend = 0.6\n" + KEYS + '[[movie.keys]]\nat = 0.1\nset = { detail = "blend" }\n'
    '[[movie.keys]]\nat = 0.2\nset = { detail = "replace" }\n[[movie.keys]]\nat = 0.3\nset = { detail = "carry", blend = 0.1 }\n',
    "keys-blend": 'preset = "hvass"\n' + KEYS + "[[movie.keys]]\nat = 0\nset = { blend = 0.0, blur = 0 }\n"
    "[[movie.keys]]\nat = 0.3\nset = { blend = 1, blur = 2.0, octave_scale = 1.2 }\n",
    "keys-rules": KEYS + '[[movie.keys]]\nat = 0.1\nset = { filter = "lanczos", subtract_mean = false }\n'
    "[[movie.keys]]\nat = 0.2\nset = { clip = false, iterations = 2, step = 40 }\n",
    "keys-out-of-order": KEYS + "[[movie.keys]]\nat = 0.3\nset = { step = 9 }\n[[movie.keys]]\nat = 0.1\nset = { step = 1 }\n",
}

VIDEO = {
    "video-plain": "iterations = 2\n",
    "video-empty": "iterations = 4\n[video]\n",
    "video-carry": "iterations = 5\n[video]\ncarry = 0.3\nblend = 0.9\n",
    "video-blend": 'iterations = 4\n[video]\ncoherence = "blend"\nblend = 0.25\ncarry = 0.9\n',
    "video-independent": 'iterations = 2\n[video]\ncoherence = "independent"\n',
}


def written():
    """Recipes as people write them."""
    for job, recipes in [("still", STILL), ("noise", NOISE), ("frames", MOVIE), ("video", VIDEO)]:
        for name, recipe in recipes.items():
            case(job, text(f"written/{name}.toml", recipe))


inputs()
carriers()
folders()
presets()
written()
rows = ",\n".join(json.dumps(case) for case in cases)
(HERE / "dreams.json").write_text(f"[\n{rows}\n]\n")
shutil.rmtree(WORK)
