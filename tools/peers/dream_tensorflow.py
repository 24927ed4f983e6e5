"""A whole dream in TensorFlow, by Google's rules: dream_tensorflow.py GRAPH PICTURE OUTPUT.

Loads the graph, dreams 4 octaves of 10 steps on mixed4c at 1024 pixels' width, writes the picture.
"""

import sys

import numpy
import tensorflow
from PIL import Image

OCTAVES, SCALE, STEPS, STEP, JITTER, MEAN = 4, 1.4, 10, 1.5, 32, 117.0

graph_file, source, target = sys.argv[1:]
v1 = tensorflow.compat.v1
v1.disable_eager_execution()


def resized(picture, size):
    planes = [Image.fromarray(picture[..., c]).resize(size[::-1], Image.BILINEAR) for c in range(3)]
    return numpy.stack([numpy.asarray(plane) for plane in planes], -1)


picture = Image.open(source).convert("RGB")
picture = picture.resize((1024, round(picture.height * 1024 / picture.width)), Image.BILINEAR)
bases = [numpy.asarray(picture, "float32") - MEAN]
for _ in range(OCTAVES - 1):
    height, width = bases[-1].shape[:2]
    bases.append(resized(bases[-1], (round(height / SCALE), round(width / SCALE))))

definition = v1.GraphDef.FromString(open(graph_file, "rb").read())
with v1.Graph().as_default() as graph:
    v1.import_graph_def(definition, name="")
    input_ = graph.get_tensor_by_name("input:0")
    activation = graph.get_tensor_by_name("mixed4c:0")
    gradient = v1.gradients(0.5 * v1.reduce_sum(v1.square(activation)), input_)[0]
    random = numpy.random.default_rng(0)
    config = v1.ConfigProto(intra_op_parallelism_threads=2, inter_op_parallelism_threads=1)
    with v1.Session(config=config) as session:
        detail = numpy.zeros_like(bases[-1])
        for base in reversed(bases):
            x = base + resized(detail, base.shape[:2])
            for _ in range(STEPS):
                shift = random.integers(-JITTER, JITTER + 1, 2)
                x = numpy.roll(x, shift, (0, 1))
                g = session.run(gradient, {input_: x[None]})[0]
                x = numpy.clip(x + STEP / numpy.abs(g).mean() * g, -MEAN, 255 - MEAN)
                x = numpy.roll(x, -shift, (0, 1))
            detail = x - base
Image.fromarray((x + MEAN).round().astype("uint8")).save(target)
