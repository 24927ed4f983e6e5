"""Compares the program's optical flow with OpenCV's DIS, and makes the test's fixture.

    python3 -m venv /tmp/flow && /tmp/flow/bin/pip install opencv-python-headless numpy
    /tmp/flow/bin/python tools/flow/compare.py PICTURE            # known motions of a picture
    /tmp/flow/bin/python tools/flow/compare.py FRAME_A FRAME_B    # two frames of a film
    /tmp/flow/bin/python tools/flow/compare.py PICTURE --fixture crates/dream/tests/flow

For developers: nothing in the build or the tests needs it. Run it from the project's root.
"""

import argparse
import math
import pathlib
import subprocess
import tempfile

import cv2
import numpy as np

PRESETS = {
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    "fine": None,
}


def opencv_flow(preset, a, b):
    code = PRESETS[preset]
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM if code is None else code)
    if code is None:
        dis.setFinestScale(0)
    return dis.calc(a, b, None)


def our_flow(preset, a, b):
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}" for name in ("a.pgm", "b.pgm", "out.flo")]
        cv2.imwrite(paths[0], a)
        cv2.imwrite(paths[1], b)
        command = ["cargo", "run", "-q", "-p", "deepdream-dream", "--example", "flow", "--"]
        result = subprocess.run(command + paths + [preset], check=True, capture_output=True, text=True)
        raw = pathlib.Path(paths[2]).read_bytes()
    return np.frombuffer(raw, "<f4", offset=12).reshape(*a.shape, 2), result.stdout.strip()


def error(a, b, margin=8):
    inner = (a - b)[margin:-margin, margin:-margin]
    return float(np.hypot(inner[..., 0], inner[..., 1]).mean())


def moved(picture, size, matrix):
    """A crop of `picture` and the same crop after the affine `matrix` (about the crop's centre)."""
    (height, width), (big_height, big_width) = size, picture.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    cx, cy = (width - 1) / 2, (height - 1) / 2
    inverse = np.linalg.inv(matrix[:, :2])

    def crop(px, py):
        ox, oy = (big_width - width) / 2, (big_height - height) / 2
        return cv2.remap(picture, (px + ox).astype(np.float32), (py + oy).astype(np.float32), cv2.INTER_CUBIC)

    dx, dy = x - cx - matrix[0, 2], y - cy - matrix[1, 2]
    source_x = inverse[0, 0] * dx + inverse[0, 1] * dy + cx
    source_y = inverse[1, 0] * dx + inverse[1, 1] * dy + cy
    truth_x = matrix[0, 0] * (x - cx) + matrix[0, 1] * (y - cy) + matrix[0, 2] + cx - x
    truth_y = matrix[1, 0] * (x - cx) + matrix[1, 1] * (y - cy) + matrix[1, 2] + cy - y
    return crop(x, y), crop(source_x, source_y), np.dstack([truth_x, truth_y])


def similarity(zoom=1.0, degrees=0.0, shift=(0.0, 0.0)):
    c, s = zoom * math.cos(math.radians(degrees)), zoom * math.sin(math.radians(degrees))
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


MOTIONS = {
    "shift 3.4,-2.3": similarity(shift=(3.4, -2.3)),
    "shift 14,9": similarity(shift=(14.0, 9.0)),
    "rotate 3": similarity(degrees=3.0),
    "zoom 1.05": similarity(zoom=1.05),
}


def fixture(picture, folder):
    """A small pair, its motion known, and OpenCV's answer at an eighth of the size."""
    a, b, _ = moved(picture, (144, 192), similarity(1.03, 1.5, (2.5, -1.25)))
    folder = pathlib.Path(folder)
    cv2.imwrite(str(folder / "from.pgm"), a)
    cv2.imwrite(str(folder / "to.pgm"), b)
    flow = opencv_flow("fine", a, b)
    lines = [f"# x,y,dx,dy by OpenCV {cv2.__version__} DIS, preset medium with finest scale 0"]
    lines += [f"{x},{y},{flow[y, x, 0]:.3f},{flow[y, x, 1]:.3f}" for y in range(4, 144, 8) for x in range(4, 192, 8)]
    (folder / "opencv.csv").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--fixture")
    arguments = parser.parse_args()
    grey = [cv2.imread(path, cv2.IMREAD_GRAYSCALE) for path in arguments.pictures]
    if arguments.fixture:
        return fixture(grey[0], arguments.fixture)
    if len(grey) == 2:
        cases = {"frames": (grey[0], grey[1], None)}
    else:
        size = (min(360, grey[0].shape[0] - 40) // 2 * 2, min(540, grey[0].shape[1] - 40) // 2 * 2)
        cases = {name: moved(grey[0], size, matrix) for name, matrix in MOTIONS.items()}
    print(f"{'motion':>16} {'preset':>7} {'ours':>8} {'OpenCV':>8} {'apart':>8}   mean endpoint error, pixels")
    for name, (a, b, truth) in cases.items():
        for preset in PRESETS:
            theirs = opencv_flow(preset, a, b)
            ours, took = our_flow(preset, a, b)
            if truth is None:
                back = [cv2.remap(b, *residual_map(flow), cv2.INTER_CUBIC) for flow in (ours, theirs)]
                scores = [np.abs(warped.astype(float) - a).mean() for warped in back]
                print(f"{name:>16} {preset:>7} {scores[0]:8.3f} {scores[1]:8.3f} {error(ours, theirs):8.3f}   "
                      f"(warped difference in grey levels) {took}")
            else:
                print(f"{name:>16} {preset:>7} {error(ours, truth):8.3f} {error(theirs, truth):8.3f} "
                      f"{error(ours, theirs):8.3f}   {took}")


def residual_map(flow):
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return x + flow[..., 0], y + flow[..., 1]


if __name__ == "__main__":
    main()
