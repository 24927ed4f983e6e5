"""A small graph with every TensorFlow operation that is read, and what TensorFlow computes with it.

Run with TensorFlow 2 and safetensors from PyPI: python make_tensorflow.py
Writes tensorflow_ops.pb and tensorflow_ops.safetensors beside itself: `input` (rows × columns ×
channels) and each named node's values (channels × rows × columns; one dimension where it is flat).
"""

import os

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

tf1 = tf.compat.v1
raw = tf.raw_ops
tf1.disable_eager_execution()
here = os.path.dirname(os.path.abspath(__file__))
random = np.random.default_rng(3)


def weights(*shape):
    return tf.constant((random.standard_normal(shape) * 0.5).astype(np.float32))


def whole(*values):
    return tf.constant(values, tf.int32)


graph = tf1.Graph()
with graph.as_default():
    x = tf1.placeholder(tf.float32, [None, 9, 11, 3], name="input")
    same = raw.Conv2D(input=x, filter=weights(3, 2, 3, 6), strides=[1, 2, 2, 1], padding="SAME")
    same = raw.BiasAdd(value=same, bias=weights(6), name="same")
    relu = raw.Relu(features=same, name="relu")
    padded = raw.Pad(input=x, paddings=whole([0, 0], [2, 1], [0, 3], [0, 0]))
    raw.Conv2D(input=padded, filter=weights(3, 3, 3, 4), strides=[1, 2, 1, 1], padding="VALID", name="padded")
    raw.Conv2D(
        input=x, filter=weights(3, 3, 3, 4), strides=[1, 1, 1, 1], padding="EXPLICIT",
        explicit_paddings=[0, 0, 1, 2, 3, 0, 0, 0], name="explicit",
    )
    raw.Conv2D(
        input=x, filter=weights(3, 3, 3, 4), strides=[1, 1, 1, 1], padding="SAME", dilations=[1, 2, 2, 1],
        name="dilated",
    )
    raw.DepthwiseConv2dNative(
        input=relu, filter=weights(3, 3, 6, 2), strides=[1, 1, 1, 1], padding="SAME", name="depthwise"
    )
    raw.MaxPool(input=relu, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME", name="max")
    average = raw.AvgPool(value=relu, ksize=[1, 3, 2, 1], strides=[1, 1, 1, 1], padding="SAME", name="average")
    raw.AvgPool(value=relu, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID", name="average_valid")
    raw.LRN(input=relu, depth_radius=2, bias=1.5, alpha=0.3, beta=0.6, name="lrn")
    raw.AddV2(x=relu, y=average, name="sum")
    scaled = raw.Mul(x=relu, y=weights(6), name="scaled")
    raw.Sub(x=scaled, y=tf.constant(0.25), name="shifted")
    raw.ConcatV2(values=[relu, average, scaled], axis=tf.constant(3), name="joined")
    raw.Concat(concat_dim=tf.constant(3), values=[scaled, relu], name="joined_first")
    variance = tf.constant((random.random(6) + 0.5).astype(np.float32))
    raw.FusedBatchNormV3(
        x=same, scale=weights(6), offset=weights(6), mean=weights(6), variance=variance, epsilon=0.01,
        is_training=False, name="normalised",
    )
    mean = raw.Mean(input=relu, axis=whole(1, 2), keep_dims=True, name="mean")
    squeezed = raw.Squeeze(input=mean, axis=[1, 2])
    raw.MatMul(a=squeezed, b=weights(6, 5), name="of_mean")
    flat = raw.Reshape(tensor=relu, shape=whole(-1, 5 * 6 * 6))
    hidden = raw.MatMul(a=flat, b=weights(7, 5 * 6 * 6), transpose_b=True)
    hidden = raw.BiasAdd(value=hidden, bias=weights(7), name="hidden")
    hidden = raw.Relu(features=hidden)
    logits = raw.AddV2(x=raw.MatMul(a=hidden, b=weights(7, 4)), y=weights(4), name="logits")
    raw.Identity(input=raw.Softmax(logits=logits), name="chances")

names = (
    "same relu padded explicit dilated depthwise max average average_valid lrn sum scaled shifted joined "
    "joined_first normalised mean of_mean hidden logits chances"
).split()
picture = (random.random((9, 11, 3)) * 4 - 2).astype(np.float32)
with tf1.Session(graph=graph) as session:
    values = session.run([n + ":0" for n in names], {"input:0": picture[None]})
out = {"input": picture}
for name, value in zip(names, values):
    value = value[0]
    out[name] = np.ascontiguousarray(value.transpose(2, 0, 1) if value.ndim == 3 else value)
save_file(out, os.path.join(here, "tensorflow_ops.safetensors"))
with open(os.path.join(here, "tensorflow_ops.pb"), "wb") as file:
    file.write(graph.as_graph_def().SerializeToString())
