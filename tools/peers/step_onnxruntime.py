"""One forward pass in ONNX Runtime: step_onnxruntime.py FILE WIDTHxHEIGHT THREADS. Prints JSON."""

import sys

import numpy as np
import onnxruntime

from timing import report


def main():
    file, size, threads = sys.argv[1:]
    width, height = map(int, size.split("x"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    picture = np.random.default_rng(0).normal(size=(1, 3, height, width)).astype(np.float32)
    report(lambda: session.run(None, {name: picture}))


main()
