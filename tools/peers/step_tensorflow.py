"""One step in TensorFlow: step_tensorflow.py GRAPH LAYER WIDTHxHEIGHT THREADS. Prints JSON."""

import sys

import numpy
import tensorflow

from timing import report

graph_file, layer, size, threads = sys.argv[1:]
width, height = map(int, size.split("x"))
v1 = tensorflow.compat.v1
v1.disable_eager_execution()

definition = v1.GraphDef.FromString(open(graph_file, "rb").read())
with v1.Graph().as_default() as graph:
    v1.import_graph_def(definition, name="")
    picture = graph.get_tensor_by_name("input:0")
    activation = graph.get_tensor_by_name(f"{layer}:0")
    gradient = v1.gradients(0.5 * v1.reduce_sum(v1.square(activation)), picture)[0]
    config = v1.ConfigProto(intra_op_parallelism_threads=int(threads), inter_op_parallelism_threads=1)
    with v1.Session(config=config) as session:
        pixels = numpy.random.default_rng(0).uniform(-117, 138, (1, height, width, 3)).astype("float32")
        report(lambda: session.run(gradient, {picture: pixels}))
