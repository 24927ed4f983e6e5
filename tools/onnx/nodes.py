"""Writes ONNX's own tests of operations to a folder, for `cargo xtask onnx-nodes FOLDER`.

Each test is a folder with a model and the inputs and outputs as protocol buffers. Needs the package onnx from
PyPI: `python3 tools/onnx/nodes.py FOLDER`."""

import pathlib
import sys

import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def write(folder, kind, values):
    for number, value in enumerate(values):
        # Sequences and optional values are no tensors; a test without them is told as not supported.
        if isinstance(value, onnx.TensorProto):
            tensor = value
        elif isinstance(value, (list, dict)) or value is None:
            return
        else:
            tensor = numpy_helper.from_array(value)
        (folder / f"{kind}_{number}.pb").write_bytes(tensor.SerializeToString())


def main():
    if len(sys.argv) != 2:
        sys.exit(f"Usage: {sys.argv[0]} FOLDER")
    cases = [case for case in collect_testcases(None) if case.model is not None]
    for case in cases:
        data = pathlib.Path(sys.argv[1]) / case.name / "test_data_set_0"
        data.mkdir(parents=True, exist_ok=True)
        (data.parent / "model.onnx").write_bytes(case.model.SerializeToString())
        inputs, outputs = case.data_sets[0]
        write(data, "input", inputs)
        write(data, "output", outputs)
    print(f"{len(cases)} tests of onnx {onnx.__version__}")


if __name__ == "__main__":
    main()
