"""Times this program, TensorFlow, PyTorch and ONNX Runtime at the same work, in turn, and prints them side by side.

    python3 tools/peers/compare.py [--rounds 3] [--only WORD] [--shared FOLDER]

Makes a virtual environment in target/peers with the peers of the works chosen (a few minutes, once), builds the
program, and runs every work `rounds` times, all programs in turn within each round, so that a machine whose
speed drifts drifts for all of them. A figure is the median over the rounds of each run's own median.
The frozen graph is FOLDER/models/inception5h_like.pb; FOLDER is $DEEPDREAM_SHARED if not given.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = ROOT / "target" / "peers"
# What each peer needs: the modules that its scripts import, and the packages that have them.
TORCH = {"torch": "torch==2.15.0", "numpy": "numpy", "PIL": "pillow"}
PACKAGES = {
    "tensorflow": {"tensorflow": "tensorflow-cpu==2.21.0", "numpy": "numpy", "PIL": "pillow"},
    "torch": TORCH,
    "torchvision": TORCH | {
        "torchvision": "torchvision==0.29.2", "onnx": "onnx==1.23.2", "onnxruntime": "onnxruntime==1.32.0",
    },
}
PROGRAM = ROOT / "target" / "release" / "deepdream"

# name, network, layer, size, peer, settings
STEPS = [
    ("Inception mixed4c 224x224", "inception", "mixed4c", "224x224", "tensorflow", {}),
    ("Inception mixed4c 640x359", "inception", "mixed4c", "640x359", "tensorflow", {}),
    ("Inception mixed4c 1024x575", "inception", "mixed4c", "1024x575", "tensorflow", {}),
    ("Inception mixed4c 1920x1080", "inception", "mixed4c", "1920x1080", "tensorflow", {}),
    ("Inception mixed4c 640x359, AVX2", "inception", "mixed4c", "640x359", "tensorflow", {"isa": "avx2"}),
    ("GoogLeNet inception_4c/output 640x359", "googlenet", "inception_4c/output", "640x359", "torch", {}),
    ("SqueezeNet fire6/concat 640x359", "squeezenet", "fire6/concat", "640x359", "torch", {}),
    ("ResNet50 layer3 640x359", "resnet50", "layer3", "640x359", "torchvision", {}),
    ("VGG16 features.22 640x359", "vgg16", "features.22", "640x359", "torchvision", {}),
    ("MobileNetV2 features.13 640x359", "mobilenet_v2", "features.13", "640x359", "torchvision", {}),
    ("EfficientNet-B0 features.5 640x359", "efficientnet_b0", "features.5", "640x359", "torchvision", {}),
    ("ConvNeXt-T features.5 640x359", "convnext_tiny", "features.5", "640x359", "torchvision", {}),
    ("Inception mixed4c 640x359, 1 thread", "inception", "mixed4c", "640x359", "tensorflow", {"threads": 1}),
]


def peers_python(peers: set[str]) -> Path:
    """The interpreter of the virtual environment with these peers, made if it is not there."""
    python = PEERS / "bin" / "python"
    needed = {module: package for peer in sorted(peers) for module, package in PACKAGES[peer].items()}
    # Not all of them can be imported into one process.
    missing = "import sys, importlib.util; sys.exit(any(not importlib.util.find_spec(name) for name in sys.argv[1:]))"
    if not python.exists() or subprocess.run([python, "-c", missing, *needed]).returncode != 0:
        # Also where making it was interrupted.
        venv.create(PEERS, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *needed.values()], check=True)
    return python


def environment(isa: str | None) -> dict[str, str]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    held = {"ONEDNN_MAX_CPU_ISA": isa.upper(), "DEEPDREAM_CPU": isa} if isa else {}
    return os.environ | quiet | held


def answer(command: list, isa: str | None = None) -> dict:
    """What a command prints as its last line, read as JSON."""
    done = subprocess.run([str(part) for part in command], env=environment(isa), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return json.loads(done.stdout[done.stdout.index("{"):])


def program(models: dict, network: str, layer: str, size: str, threads: int, isa: str | None) -> dict:
    bench = [PROGRAM, "bench", "--model", models[network], "--layer", layer, "--size", size]
    found = answer([*bench, "--threads", threads, "--json"], isa)
    return {
        "median_ms": found["median_ms"],
        "peak_mb": found["peak_memory_bytes"] / 2**20,
        "first_ms": found["first_gradient_ms"],
        "outside": found["outside_network_ms"] / found["dream_step_ms"],
    }


def forward_ms(models: dict, network: str, layer: str, size: str, threads: int) -> float:
    """What the forward half of this program's step takes. A run of its own, as taking each part's time costs some."""
    bench = [PROGRAM, "bench", "--model", models[network], "--layer", layer, "--size", size]
    parts = answer([*bench, "--threads", threads, "--layers", "--json"])["parts"]
    return sum(part["mean_ms"] for part in parts if part["pass"] in ("pack", "forward"))


def peer(python: Path, models: dict, which: str, network: str, layer: str, size: str, threads: int, isa) -> dict:
    script = HERE / f"step_{which}.py"
    return answer([python, script, models.get(network, network), layer, size, threads], isa)


def torchvision_networks(python: Path) -> dict[str, Path]:
    """The files of the networks whose weights come from a seed, made if they are not there."""
    folder = PEERS / "networks"
    names = {step[1] for step in STEPS if step[4] == "torchvision"}
    if not all((folder / f"{name}.{kind}").exists() for name in names for kind in ("pth", "onnx")):
        subprocess.run([python, HERE / "networks.py", folder], check=True)
    return {name: folder / f"{name}.pth" for name in names}


def forward_only(python: Path, models: dict, steps: list, rounds: int) -> None:
    """Forward passes against ONNX Runtime, which has no other."""
    for name, network, layer, size, which, settings in steps:
        if which != "torchvision":
            continue
        file, threads = models[network].with_suffix(".onnx"), settings.get("threads", 2)
        pairs = [
            (
                forward_ms(models, network, layer, size, threads),
                answer([python, HERE / "step_onnxruntime.py", file, size, threads])["median_ms"],
            )
            for _ in range(rounds)
        ]
        ours, theirs = (statistics.median(times) for times in zip(*pairs))
        print(f"{name + ', forward':42} {ours:9.1f} {theirs:9.1f} {theirs / ours:6.2f}x   (onnxruntime)")


def whole_dream(python: Path, models: dict, picture: Path, rounds: int) -> None:
    """A dream as a process: start, load, 4 octaves of 10 steps, write."""
    out = PEERS / "dream"
    out.mkdir(exist_ok=True)
    ours = [PROGRAM, "image", picture, "--model", models["inception"], "--layer", "mixed4c", "--preset", "google",
            "--octaves", 4, "--iterations", 10, "--size", 1024, "--force", "--quiet", "-o", out / "ours.png"]
    theirs = [python, HERE / "dream_tensorflow.py", models["inception"], picture, out / "theirs.png"]
    times = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for name, command in (("ours", ours), ("theirs", theirs)):
            start = time.perf_counter()
            subprocess.run([str(part) for part in command], env=environment(None), check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    a, b = statistics.median(times["ours"]), statistics.median(times["theirs"])
    print(f"{'whole dream of ' + picture.name + ' at 1024 wide':42} {a * 1e3:9.0f} {b * 1e3:9.0f} {b / a:6.2f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="only works whose name holds this")
    parser.add_argument("--shared", type=Path, default=os.environ.get("DEEPDREAM_SHARED"))
    args = parser.parse_args()
    if args.shared is None:
        sys.exit("where is the frozen graph? give --shared FOLDER or set DEEPDREAM_SHARED")
    folder = Path(args.shared).resolve()
    models = {
        "inception": folder / "models" / "inception5h_like.pb",
        "googlenet": folder / "models" / "bvlc_googlenet.caffemodel",
        "squeezenet": "squeezenet",
    }
    steps = [step for step in STEPS if args.only in step[0]]
    if not steps and not any(args.only in name for name in ("whole dream", "first gradient")):
        names = [step[0] for step in STEPS] + ["whole dream", "first gradient"]
        sys.exit("no work's name holds that; they are:\n  " + "\n  ".join(names))
    peers = {step[4] for step in steps} | ({"tensorflow"} if args.only in "whole dream" else set())
    python = peers_python(peers)
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "deepdream-cli"], cwd=ROOT, check=True)
    if any(step[4] == "torchvision" for step in steps):
        models |= torchvision_networks(python)
    found = {step[0]: ([], []) for step in steps}
    for round_ in range(args.rounds):
        for name, network, layer, size, which, settings in steps:
            threads, isa = settings.get("threads", 2), settings.get("isa")
            ours, theirs = found[name]
            ours.append(program(models, network, layer, size, threads, isa))
            theirs.append(peer(python, models, which, network, layer, size, threads, isa))
            print(f"round {round_ + 1}: {name}", file=sys.stderr)

    print(f"{'one step, ms':42} {'ours':>9} {'peer':>9} {'ratio':>7}   peak MB ours, peer")
    medians = {}
    for name, *_, which, _settings in steps:
        ours, theirs = found[name]
        a, b = (statistics.median(run["median_ms"] for run in runs) for runs in (ours, theirs))
        x, y = (max(run["peak_mb"] for run in runs) for runs in (ours, theirs))
        medians[name] = (a, b)
        print(f"{name:42} {a:9.1f} {b:9.1f} {b / a:6.2f}x   {x:.0f}, {y:.0f} ({which}; {y / x:.1f}x)")
    forward_only(python, models, steps, args.rounds)
    whole = [medians[name] for name in medians if name.startswith("Inception") and "," not in name]
    if len(whole) > 1:
        print(f"{'Inception, geometric mean':62} {statistics.geometric_mean(b / a for a, b in whole):6.2f}x")
    one, two = (medians.get(f"Inception mixed4c 640x359{end}") for end in (", 1 thread", ""))
    if one and two:
        print(f"{'2 threads over 1, ours and TensorFlow':62} {one[0] / two[0]:6.2f}x {one[1] / two[1]:.2f}x")
    for name in medians:
        if name.endswith("640x359"):
            outside = statistics.median(run["outside"] for run in found[name][0])
            print(f"{'a dream on ' + name + ', outside the network':62} {outside:6.1%}")
    if args.only in "whole dream":
        whole_dream(python, models, folder / "images" / "sky.jpg", args.rounds)
    if args.only in "first gradient":
        first = [program(models, "squeezenet", "fire6/concat", "224x224", 2, None)["first_ms"] for _ in range(5)]
        print(f"first gradient, SqueezeNet 224x224: {statistics.median(first):.1f} ms")


if __name__ == "__main__":
    main()
