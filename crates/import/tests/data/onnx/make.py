"""Makes the small ONNX files of this folder and `expected.safetensors`, what ONNX Runtime computes with them:
for each file its outputs for `image`, 3 x 12 x 16, in the order of channels, rows, columns. Needs onnx, onnxruntime, safetensors and numpy."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

random = np.random.default_rng(7)
image = (random.random((1, 3, 12, 16)) * 2 - 1).astype(np.float32)
expected = {"image": image[0]}


def weights(*shape):
    return (random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def model(name, nodes, outputs, constants, opset=17, sizes=("rows", "columns"), functions=(), domains=()):
    given = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *sizes])
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None) for output in outputs]
    graph = helper.make_graph(nodes, name, [given], outputs, constants)
    opsets = [helper.make_opsetid("", opset), *[helper.make_opsetid(domain, 1) for domain in domains]]
    made = helper.make_model(graph, opset_imports=opsets, functions=functions)
    made.ir_version = 8
    onnx.save(made, f"{name}.onnx")
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    for output, value in zip(outputs, session.run(None, {"image": image})):
        # Channels, rows, columns, wherever the file has them.
        value = value[0].transpose(2, 0, 1) if output.name in ["ln", "ln2", "mixed"] else value[0]
        expected[f"{name}/{output.name}"] = np.ascontiguousarray(value)


N = helper.make_node

# Windows with every attribute.
model(
    "windows",
    [
        N("Conv", ["image", "w1", "b1"], ["conv"], pads=[1, 0, 2, 3], strides=[2, 1], dilations=[1, 2]),
        N("Conv", ["conv", "w2"], ["grouped"], group=3, auto_pad="SAME_UPPER", strides=[2, 2]),
        N("MaxPool", ["conv"], ["max"], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 0, 1], ceil_mode=1),
        N("AveragePool", ["conv"], ["mean"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1, ceil_mode=1),
        N("AveragePool", ["conv"], ["mean2"], kernel_shape=[2, 3], auto_pad="SAME_LOWER"),
        N("LRN", ["conv"], ["lrn"], size=3, alpha=0.1, beta=0.7, bias=2.0),
    ],
    ["conv", "grouped", "max", "mean", "mean2", "lrn"],
    [constant("w1", weights(6, 3, 3, 3)), constant("b1", weights(6)), constant("w2", weights(9, 2, 3, 3))],
)

# Weights of every kind.
quantised = random.integers(-128, 127, (4, 3, 3, 3), dtype=np.int8)
typed = helper.make_tensor("typed", TensorProto.FLOAT, [4], [0.5, -1.0, 0.25, 2.0])
bf16 = helper.make_tensor("bf16", TensorProto.BFLOAT16, [4, 4, 1, 1], weights(4, 4, 1, 1).ravel())
model(
    "weights",
    [
        N("DequantizeLinear", ["q", "q_scale", "q_zero"], ["w1"], axis=0),
        N("Conv", ["image", "w1"], ["a"]),
        N("Cast", ["half"], ["w2"], to=TensorProto.FLOAT),
        N("Conv", ["a", "w2"], ["b"]),
        N("Cast", ["double"], ["w3"], to=TensorProto.FLOAT),
        N("Conv", ["b", "w3", "typed"], ["c"]),
        N("Cast", ["bf16"], ["w4"], to=TensorProto.FLOAT),
        N("Conv", ["c", "w4"], ["d"]),
    ],
    ["a", "b", "c", "d"],
    [
        constant("q", quantised),
        constant("q_scale", np.array([0.01, 0.02, 0.005, 0.01], np.float32)),
        constant("q_zero", np.array([3, 0, -5, 1], np.int8)),
        constant("half", weights(4, 4, 1, 1).astype(np.float16)),
        constant("double", weights(4, 4, 1, 1).astype(np.float64)),
        typed,
        bf16,
    ],
)

# Gates, smooth functions and normalisations, as one operation or as several.
sqrt2 = np.float32(np.sqrt(2))
model(
    "gates",
    [
        N("Conv", ["image", "w1"], ["x"]),
        N("Sigmoid", ["x"], ["s"]),
        N("Mul", ["x", "s"], ["silu"]),
        N("HardSigmoid", ["x"], ["h"], alpha=1 / 6, beta=0.5),
        N("Mul", ["h", "x"], ["hard_swish"]),
        N("Div", ["x", "sqrt2"], ["e1"]),
        N("Erf", ["e1"], ["e2"]),
        N("Add", ["e2", "one"], ["e3"]),
        N("Mul", ["x", "e3"], ["e4"]),
        N("Mul", ["e4", "half"], ["gelu"]),
        N("GlobalAveragePool", ["x"], ["p1"]),
        N("Conv", ["p1", "w2"], ["p2"]),
        N("HardSwish", ["p2"], ["p3"]),
        N("Mul", ["x", "p3"], ["squeezed"]),
        N("Transpose", ["x"], ["last"], perm=[0, 2, 3, 1]),
        N("LayerNormalization", ["last", "scale", "shift"], ["ln"], axis=-1, epsilon=1e-3),
        N("ReduceMean", ["last"], ["mean"], axes=[-1]),
        N("Sub", ["last", "mean"], ["centred"]),
        N("Pow", ["centred", "two"], ["squares"]),
        N("ReduceMean", ["squares"], ["variance"], axes=[-1]),
        N("Add", ["variance", "epsilon"], ["positive"]),
        N("Sqrt", ["positive"], ["deviation"]),
        N("Div", ["centred", "deviation"], ["normal"]),
        N("Mul", ["normal", "scale"], ["scaled"]),
        N("Add", ["scaled", "shift"], ["ln2"]),
        N("MatMul", ["ln2", "matrix"], ["mixed"]),
        N("Reshape", ["x", "groups"], ["g1"]),
        N("InstanceNormalization", ["g1", "ones", "zeros"], ["g2"]),
        N("Shape", ["x"], ["shape"]),
        N("Reshape", ["g2", "shape"], ["g3"]),
        N("Mul", ["g3", "per_channel"], ["grouped"]),
        N("Clip", ["x", "low", "high"], ["clipped"]),
        N("LeakyRelu", ["x"], ["leaky"], alpha=0.2),
        N("PRelu", ["x", "per_channel"], ["prelu"]),
        N("Elu", ["x"], ["elu"], alpha=0.7),
        N("Tanh", ["x"], ["tanh"]),
        N("Sub", ["one", "x"], ["from_one"]),
    ],
    ["silu", "hard_swish", "gelu", "squeezed", "ln", "ln2", "mixed", "grouped", "clipped", "leaky", "prelu", "elu", "tanh", "from_one"],
    [
        constant("w1", weights(4, 3, 2, 2)),
        constant("w2", weights(4, 4, 1, 1)),
        constant("sqrt2", sqrt2),
        constant("one", np.float32(1)),
        constant("half", np.float32(0.5)),
        constant("two", np.float32(2)),
        constant("epsilon", np.float32(1e-3)),
        constant("scale", weights(4)),
        constant("shift", weights(4)),
        constant("matrix", weights(4, 5)),
        constant("groups", np.array([0, 2, -1], np.int64)),
        constant("ones", np.ones(2, np.float32)),
        constant("zeros", np.zeros(2, np.float32)),
        constant("per_channel", weights(4, 1, 1)),
        constant("low", np.float32(-0.2)),
        constant("high", np.float32(0.3)),
    ],
)

# Channels and pixels moved about.
model(
    "moved",
    [
        N("Conv", ["image", "w1"], ["x"]),
        N("Reshape", ["x", "split_shape"], ["s1"]),
        N("Transpose", ["s1"], ["s2"], perm=[0, 2, 1, 3, 4]),
        N("Reshape", ["s2", "joined_shape"], ["s3"]),
        N("Relu", ["s3"], ["s4"]),
        N("Conv", ["s4", "w2"], ["shuffled"]),
        N("Split", ["x", "parts"], ["part1", "part2"], axis=1),
        N("Concat", ["part2", "part1", "x"], ["joined"], axis=1),
        N("Slice", ["x", "starts", "ends", "axes", "steps"], ["sliced"]),
        N("Gather", ["x", "places"], ["gathered"], axis=1),
        N("DepthToSpace", ["x"], ["dcr"], blocksize=2),
        N("DepthToSpace", ["x"], ["crd"], blocksize=2, mode="CRD"),
        N("SpaceToDepth", ["x"], ["deep"], blocksize=2),
        N("Reshape", ["x", "pixels1"], ["p1"]),
        N("Transpose", ["p1"], ["p2"], perm=[0, 1, 4, 2, 5, 3]),
        N("Reshape", ["p2", "pixels2"], ["p3"]),
        N("Conv", ["p3", "w3"], ["shuffled_pixels"]),
        N("Resize", ["x", "", "scales"], ["nearest"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        N("Resize", ["x", "", "scales"], ["linear"], mode="linear"),
        N("Shape", ["image"], ["image_shape"]),
        N("Slice", ["image_shape", "two", "four"], ["image_size"]),
        N("Concat", ["first_sizes", "image_size"], ["sizes"], axis=0),
        N("Resize", ["x", "", "", "sizes"], ["to_image"], mode="linear", coordinate_transformation_mode="align_corners"),
        N("Pad", ["x", "pads"], ["padded"], mode="reflect"),
        N("Pad", ["x", "pads"], ["zeros"]),
        N("Conv", ["zeros", "w4"], ["after_zeros"]),
        N("ConvTranspose", ["x", "w5", "b5"], ["transposed"], strides=[2, 2], pads=[1, 1, 0, 1], output_padding=[1, 1], group=2),
        N("GlobalAveragePool", ["x"], ["pooled"]),
        N("Flatten", ["pooled"], ["flat"]),
        N("Gemm", ["flat", "w6", "b6"], ["head"], transB=1, alpha=0.5, beta=2.0),
    ],
    ["shuffled", "joined", "sliced", "gathered", "dcr", "crd", "deep", "shuffled_pixels", "nearest", "linear", "to_image", "padded", "after_zeros", "transposed", "head"],
    [
        constant("w1", weights(8, 3, 1, 1)),
        constant("w2", weights(2, 8, 1, 1)),
        constant("w3", weights(2, 2, 1, 1)),
        constant("w4", weights(2, 8, 3, 3)),
        constant("w5", weights(8, 3, 3, 3)),
        constant("b5", weights(6)),
        constant("w6", weights(5, 8)),
        constant("b6", weights(5)),
        constant("split_shape", np.array([1, 2, 4, 12, 16], np.int64)),
        constant("joined_shape", np.array([1, 8, 12, 16], np.int64)),
        constant("parts", np.array([3, 5], np.int64)),
        constant("starts", np.array([1, 2, 1], np.int64)),
        constant("ends", np.array([-1, 2**31, 2**31], np.int64)),
        constant("axes", np.array([1, 2, 3], np.int64)),
        constant("steps", np.array([2, 2, 3], np.int64)),
        constant("places", np.array([5, 0, -1], np.int64)),
        constant("pixels1", np.array([1, 2, 2, 2, 12, 16], np.int64)),
        constant("pixels2", np.array([1, 2, 24, 32], np.int64)),
        constant("scales", np.array([1, 1, 2, 1.5], np.float32)),
        constant("two", np.array([2], np.int64)),
        constant("four", np.array([4], np.int64)),
        constant("first_sizes", np.array([1, 8], np.int64)),
        constant("pads", np.array([0, 0, 1, 2, 0, 0, 3, 1], np.int64)),
    ],
    sizes=(12, 16),
)

# A function of the file's own, and a matrix over all of a picture with its channels last.
function = helper.make_function(
    "own", "Block", ["a", "w"], ["b"],
    [N("Conv", ["a", "w"], ["c"]), N("LeakyRelu", ["c"], ["b"], alpha=0.5)],
    [helper.make_opsetid("", 17)],
)
model(
    "functions",
    [
        N("Block", ["image", "w1"], ["block1"], domain="own"),
        N("Block", ["block1", "w2"], ["block2"], domain="own"),
        N("AveragePool", ["block2"], ["small"], kernel_shape=[3, 4], strides=[3, 4]),
        N("Transpose", ["small"], ["last"], perm=[0, 2, 3, 1]),
        N("Reshape", ["last", "row"], ["flat"]),
        N("MatMul", ["flat", "matrix"], ["product"]),
        N("Add", ["product", "bias"], ["head"]),
        N("Softmax", ["head"], ["classes"]),
    ],
    ["block2", "head", "classes"],
    [
        constant("w1", weights(4, 3, 1, 1)),
        constant("w2", weights(5, 4, 1, 1)),
        constant("row", np.array([1, -1], np.int64)),
        constant("matrix", weights(80, 7)),
        constant("bias", weights(7)),
    ],
    sizes=(12, 16),
    functions=[function],
    domains=["own"],
)

# Enlarged to the size of another map, which only the graph knows; and a head for pictures of one size.
model(
    "decoder",
    [
        N("Conv", ["image", "w1"], ["half"], strides=[2, 2], pads=[1, 1, 1, 1]),
        N("Conv", ["half", "w2"], ["quarter"], strides=[2, 2], pads=[1, 1, 1, 1]),
        N("Shape", ["half"], ["half_shape"]),
        N("Slice", ["half_shape", "two", "four"], ["half_size"]),
        N("Shape", ["quarter"], ["quarter_shape"]),
        N("Slice", ["quarter_shape", "zero", "two"], ["quarter_first"]),
        N("Concat", ["quarter_first", "half_size"], ["sizes"], axis=0),
        N("Resize", ["quarter", "", "", "sizes"], ["larger"], mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
        N("Concat", ["half", "larger"], ["joined"], axis=1),
    ],
    ["larger", "joined"],
    [
        constant("w1", weights(4, 3, 3, 3)),
        constant("w2", weights(5, 4, 3, 3)),
        constant("zero", np.array([0], np.int64)),
        constant("two", np.array([2], np.int64)),
        constant("four", np.array([4], np.int64)),
    ],
)
model(
    "head",
    [
        N("Conv", ["image", "w1"], ["point"]),
        N("Flatten", ["point"], ["flat"]),
        N("MatMul", ["flat", "matrix"], ["product"]),
        N("Add", ["product", "bias"], ["sum"]),
        N("Softmax", ["sum"], ["classes"], axis=1),
    ],
    ["sum", "classes"],
    [constant("w1", weights(6, 3, 12, 16)), constant("matrix", weights(6, 5)), constant("bias", weights(5))],
    opset=11,
    sizes=(12, 16),
)

# Vision transformers as exporters write them: a class token, a position embedding, and three blocks whose queries,
# keys and values are parts of one product (by positions first, as torch.nn.MultiheadAttention has them, and by
# batch first, as timm has them) or three products; for pictures of one size.
PATCHES, WIDTH, HEADS = 12, 24, 3
EACH, TOKENS = WIDTH // HEADS, PATCHES + 1
constants = {
    "w": weights(WIDTH, 3, 4, 4),
    "class": weights(1, 1, WIDTH),
    "positions": weights(1, TOKENS, WIDTH),
    "flat": np.array([1, WIDTH, PATCHES]),
    "root": np.float32(EACH**0.25),
    "scale": np.float32(EACH**-0.5),
    "three": np.array([3]),
    "zero": np.array([0]),
    "first": np.array(0),
    "second": np.array(1),
    "third": np.array(2),
    "first_shape": np.array([TOKENS, 1, 3, WIDTH]),
    "first_heads": np.array([TOKENS, HEADS, EACH]),
    "first_batch": np.array([1, HEADS, TOKENS, EACH]),
    "first_rows": np.array([TOKENS, WIDTH]),
    "first_back": np.array([TOKENS, 1, WIDTH]),
    "second_shape": np.array([1, TOKENS, 3, HEADS, EACH]),
    "third_shape": np.array([1, TOKENS, HEADS, EACH]),
    "row": np.array([1, TOKENS, WIDTH]),
}
for block in "abc":
    constants |= {f"{block}_scale": 1 + weights(WIDTH), f"{block}_shift": weights(WIDTH)}
    constants |= {f"{block}_out": weights(WIDTH, WIDTH)}
for block in "ab":
    constants |= {f"{block}_out_bias": weights(WIDTH)}
    constants |= {f"{block}_qkv": weights(WIDTH, 3 * WIDTH) * 2, f"{block}_bias": weights(3 * WIDTH)}
for part in "qkv":
    constants |= {f"c_{part}_w": weights(WIDTH, WIDTH) * 2, f"c_{part}_bias": weights(WIDTH)}


def norm(block, x):
    return [N("LayerNormalization", [x, f"{block}_scale", f"{block}_shift"], [f"{block}_norm"], axis=-1, epsilon=1e-6)]


nodes = [
    N("Conv", ["image", "w"], ["patches"], strides=[4, 4]),
    N("Reshape", ["patches", "flat"], ["a_row"]),
    N("Transpose", ["a_row"], ["rows"], perm=[0, 2, 1]),
    N("Concat", ["class", "rows"], ["joined"], axis=1),
    N("Add", ["joined", "positions"], ["embedded"]),
    # Positions first.
    *norm("a", "embedded"),
    N("Transpose", ["a_norm"], ["a_first"], perm=[1, 0, 2]),
    N("MatMul", ["a_first", "a_qkv"], ["a_product"]),
    N("Add", ["a_bias", "a_product"], ["a_sum"]),
    N("Reshape", ["a_sum", "first_shape"], ["a_split"]),
    N("Unsqueeze", ["a_split", "zero"], ["a_new"]),
    N("Transpose", ["a_new"], ["a_turned"], perm=[3, 1, 2, 0, 4]),
    N("Squeeze", ["a_turned", "three"], ["a_three"]),
]
for part, place in zip("qkv", ["first", "second", "third"]):
    nodes += [
        N("Gather", ["a_three", place], [f"a_{part}"], axis=0),
        N("Reshape", [f"a_{part}", "first_heads"], [f"a_{part}_heads"]),
        N("Transpose", [f"a_{part}_heads"], [f"a_{part}_turned"], perm=[1, 0, 2]),
        N("Reshape", [f"a_{part}_turned", "first_batch"], [f"a_{part}_batch"]),
    ]
nodes += [
    N("Div", ["a_q_batch", "root"], ["a_q_scaled"]),
    N("Transpose", ["a_k_batch"], ["a_k_across"], perm=[0, 1, 3, 2]),
    N("Div", ["a_k_across", "root"], ["a_k_scaled"]),
    N("MatMul", ["a_q_scaled", "a_k_scaled"], ["a_scores"]),
    N("Softmax", ["a_scores"], ["a_weights"], axis=-1),
    N("MatMul", ["a_weights", "a_v_batch"], ["a_mean"]),
    N("Transpose", ["a_mean"], ["a_mean_first"], perm=[2, 0, 1, 3]),
    N("Reshape", ["a_mean_first", "first_rows"], ["a_mean_rows"]),
    N("Gemm", ["a_mean_rows", "a_out", "a_out_bias"], ["a_projected"], transB=1),
    N("Reshape", ["a_projected", "first_back"], ["a_back"]),
    N("Transpose", ["a_back"], ["a_last"], perm=[1, 0, 2]),
    N("Add", ["embedded", "a_last"], ["a_block"]),
    # Batch first, in one product.
    *norm("b", "a_block"),
    N("MatMul", ["b_norm", "b_qkv"], ["b_product"]),
    N("Add", ["b_product", "b_bias"], ["b_sum"]),
    N("Reshape", ["b_sum", "second_shape"], ["b_split"]),
    N("Transpose", ["b_split"], ["b_turned"], perm=[2, 0, 3, 1, 4]),
    N("Split", ["b_turned"], ["b_q_one", "b_k_one", "b_v_one"], axis=0),
]
for part in "qkv":
    nodes.append(N("Squeeze", [f"b_{part}_one", "zero"], [f"b_{part}"]))
nodes += [
    N("Mul", ["b_q", "scale"], ["b_q_scaled"]),
    N("Transpose", ["b_k"], ["b_k_across"], perm=[0, 1, 3, 2]),
    N("MatMul", ["b_q_scaled", "b_k_across"], ["b_scores"]),
    N("Softmax", ["b_scores"], ["b_weights"], axis=-1),
    N("Identity", ["b_weights"], ["b_dropped"]),
    N("MatMul", ["b_dropped", "b_v"], ["b_mean"]),
    N("Transpose", ["b_mean"], ["b_back"], perm=[0, 2, 1, 3]),
    N("Reshape", ["b_back", "row"], ["b_row"]),
    N("MatMul", ["b_row", "b_out"], ["b_projected"]),
    N("Add", ["b_out_bias", "b_projected"], ["b_last"]),
    N("Add", ["b_last", "a_block"], ["b_block"]),
    # Batch first, in three products.
    *norm("c", "b_block"),
]
for part in "qkv":
    nodes += [
        N("MatMul", ["c_norm", f"c_{part}_w"], [f"c_{part}_product"]),
        N("Add", [f"c_{part}_bias", f"c_{part}_product"], [f"c_{part}"]),
        N("Reshape", [f"c_{part}", "third_shape"], [f"c_{part}_heads"]),
        N("Transpose", [f"c_{part}_heads"], [f"c_{part}_turned"], perm=[0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]),
    ]
nodes += [
    N("MatMul", ["c_q_turned", "c_k_turned"], ["c_scores"]),
    N("Mul", ["c_scores", "scale"], ["c_scaled"]),
    N("Softmax", ["c_scaled"], ["c_weights"], axis=3),
    N("MatMul", ["c_weights", "c_v_turned"], ["c_mean"]),
    N("Transpose", ["c_mean"], ["c_back"], perm=[0, 2, 1, 3]),
    N("Reshape", ["c_back", "row"], ["c_row"]),
    N("MatMul", ["c_row", "c_out"], ["c_projected"]),
    N("Add", ["c_projected", "b_block"], ["c_block"]),
    N("Gather", ["c_block", "first"], ["c_class"], axis=1),
    # As channels before positions.
    *[N("Transpose", [value], [f"{value}_map"], perm=[0, 2, 1]) for value in ["embedded", "a_block", "b_block", "c_block"]],
]
model(
    "transformer",
    nodes,
    ["embedded_map", "a_block_map", "b_block_map", "c_block_map", "c_class"],
    [constant(name, array) for name, array in constants.items()],
    sizes=(12, 16),
)

# The same in one operation, of a batch of heads and of channels that are divided into them.
model(
    "attention",
    [
        N("Conv", ["image", "w"], ["patches"], strides=[4, 4]),
        N("Reshape", ["patches", "flat"], ["a_row"]),
        N("Transpose", ["a_row"], ["rows"], perm=[0, 2, 1]),
        N("MatMul", ["rows", "q_w"], ["q"]),
        N("MatMul", ["rows", "k_w"], ["k"]),
        N("MatMul", ["rows", "v_w"], ["v"]),
        N("Attention", ["q", "k", "v"], ["divided"], q_num_heads=3, kv_num_heads=3),
        *[N("Reshape", [part, "heads"], [f"{part}_split"]) for part in "qkv"],
        *[N("Transpose", [f"{part}_split"], [f"{part}_heads"], perm=[0, 2, 1, 3]) for part in "qkv"],
        N("Attention", ["q_heads", "k_heads", "v_heads"], ["batch"], scale=0.5),
        N("Transpose", ["batch"], ["back"], perm=[0, 2, 1, 3]),
        N("Reshape", ["back", "again"], ["joined"]),
        N("Transpose", ["divided"], ["divided_map"], perm=[0, 2, 1]),
        N("Transpose", ["joined"], ["joined_map"], perm=[0, 2, 1]),
    ],
    ["divided_map", "joined_map"],
    [
        constant("w", weights(12, 3, 4, 4)),
        constant("flat", np.array([1, 12, 12])),
        constant("heads", np.array([1, 12, 3, 4])),
        constant("again", np.array([1, 12, 12])),
        *[constant(f"{part}_w", weights(12, 12) * 2) for part in "qkv"],
    ],
    opset=23,
    sizes=(12, 16),
)

# Parts of channels that are weighed against each other: a convolution over the channels of a mean (Wang et al. 2020),
# branches that softmax shares (Zhang et al. 2020), branches that are stacked (Li et al. 2019).
model(
    "branches",
    [
        N("Conv", ["image", "w1"], ["many"], strides=[4, 4]),
        N("GlobalAveragePool", ["many"], ["mean"]),
        N("Reshape", ["mean", "row"], ["mean_row"]),
        N("Conv", ["mean_row", "along"], ["gate_row"], pads=[2, 2]),
        N("Sigmoid", ["gate_row"], ["gate"]),
        N("Reshape", ["gate", "point"], ["gate_point"]),
        N("Shape", ["many"], ["size"]),
        N("Expand", ["gate_point", "size"], ["gate_map"]),
        N("Mul", ["many", "gate_map"], ["efficient"]),
        N("Mul", ["many", "gate_point"], ["efficient_too"]),
        N("Conv", ["many", "w2"], ["pair"], group=16),
        N("Reshape", ["pair", "parts"], ["split"]),
        N("ReduceSum", ["split", "one"], ["sum"], keepdims=0),
        N("ReduceMean", ["split"], ["mean_of"], axes=[1], keepdims=0),
        N("ReduceMax", ["split"], ["most"], axes=[1], keepdims=0),
        N("GlobalAveragePool", ["sum"], ["sum_mean"]),
        N("Conv", ["sum_mean", "w3"], ["scores"], group=8),
        N("Reshape", ["scores", "across"], ["scores_row"]),
        N("Transpose", ["scores_row"], ["scores_turned"], perm=[0, 2, 1, 3]),
        N("Softmax", ["scores_turned"], ["shares_row"], axis=1),
        N("Reshape", ["shares_row", "shares_shape"], ["shares"]),
        N("Mul", ["split", "shares"], ["weighed"]),
        N("ReduceSum", ["weighed", "one"], ["split_attention"], keepdims=0),
        N("Softmax", ["split"], ["shares_map"], axis=1),
        N("ReduceMax", ["shares_map"], ["share"], axes=[1], keepdims=0),
        N("Relu", ["sum"], ["first"]),
        N("Unsqueeze", ["first", "one"], ["first_of"]),
        N("Unsqueeze", ["sum", "one"], ["second_of"]),
        N("Concat", ["first_of", "second_of"], ["stacked"], axis=1),
        N("Mul", ["stacked", "shares"], ["selected"]),
        N("ReduceSum", ["selected", "one"], ["selective"], keepdims=0),
    ],
    ["efficient", "efficient_too", "sum", "mean_of", "most", "split_attention", "share", "selective"],
    [
        constant("w1", weights(160, 3, 1, 1)),
        constant("w2", weights(160, 10, 1, 1)),
        constant("w3", weights(160, 10, 1, 1) * 4),
        constant("along", weights(1, 1, 5)),
        constant("row", np.array([1, 1, -1])),
        constant("point", np.array([1, -1, 1, 1])),
        constant("parts", np.array([1, 2, 80, 3, 4])),
        constant("one", np.array([1])),
        constant("across", np.array([1, 1, 2, -1])),
        constant("shares_shape", np.array([1, 2, 80, 1, 1])),
    ],
    sizes=(12, 16),
)

# What TensorFlow pads, written as PyTorch's ports of its networks do; for convolutions and pools.
def padding(name, source, kernel, stride):
    return [
        N("Shape", [source], [f"{name}_shape"], start=2),
        N("Cast", [f"{name}_shape"], [f"{name}_size"], to=TensorProto.FLOAT),
        N("Div", [f"{name}_size", stride], [f"{name}_ratio"]),
        N("Ceil", [f"{name}_ratio"], [f"{name}_count"]),
        N("Sub", [f"{name}_count", "1.0"], [f"{name}_steps"]),
        N("Mul", [f"{name}_steps", stride], [f"{name}_way"]),
        N("Add", [f"{name}_way", kernel], [f"{name}_reach"]),
        N("Sub", [f"{name}_reach", f"{name}_size"], [f"{name}_lack"]),
        N("Clip", [f"{name}_lack", "0.0"], [f"{name}_all"]),
        N("Cast", [f"{name}_all"], [f"{name}_whole"], to=TensorProto.INT64),
        N("Div", [f"{name}_whole", "two"], [f"{name}_before"]),
        N("Sub", [f"{name}_whole", f"{name}_before"], [f"{name}_after"]),
        N("Concat", ["none", f"{name}_before", "none", f"{name}_after"], [f"{name}_pads"], axis=0),
    ]


model(
    "same",
    [
        *padding("a", "image", "3.0", "2.0"),
        N("Pad", ["image", "a_pads"], ["a_padded"]),
        N("Conv", ["a_padded", "w1"], ["conv"], strides=[2, 2]),
        *padding("b", "conv", "3.0", "2.0"),
        N("Pad", ["conv", "b_pads", "least"], ["b_padded"]),
        N("MaxPool", ["b_padded"], ["max"], kernel_shape=[3, 3], strides=[2, 2]),
    ],
    ["conv", "max"],
    [
        constant("w1", weights(4, 3, 3, 3)),
        constant("least", np.float32(-np.inf)),
        constant("none", np.array([0, 0])),
        constant("two", np.array(2)),
        *[constant(str(x), np.float32(x)) for x in (0.0, 1.0, 2.0, 3.0)],
    ],
)

# A gate of a smaller map, enlarged to the size that the larger one has in the file.
model(
    "enlarged",
    [
        N("Conv", ["image", "w1"], ["large"]),
        N("MaxPool", ["large"], ["small"], kernel_shape=[3, 3], strides=[2, 2]),
        N("Sigmoid", ["small"], ["gate"]),
        N("Resize", ["gate", "", "", "size"], ["gate_large"], mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric"),
        N("Mul", ["large", "gate_large"], ["product"]),
    ],
    ["product"],
    [constant("w1", weights(4, 3, 1, 1)), constant("size", np.array([1, 4, 12, 16]))],
    sizes=(12, 16),
)

# What ONNX Runtime makes of several operations.
model(
    "runtime",
    [
        N("FusedConv", ["image", "w1", "b1"], ["relu"], domain="com.microsoft", activation="Relu", pads=[1, 1, 1, 1]),
        N("FusedConv", ["relu", "w2", "b2", "relu"], ["sum"], domain="com.microsoft", activation="Clip", activation_params=[-0.5, 1.0]),
        N("FusedConv", ["sum", "w2", "b2"], ["leaky"], domain="com.microsoft", activation="LeakyRelu", activation_params=[0.3]),
        N("FusedConv", ["sum", "w2", "b2"], ["hard"], domain="com.microsoft", activation="HardSigmoid", activation_params=[0.3, 0.4]),
        N("QuickGelu", ["sum"], ["quick"], domain="com.microsoft"),
        N("QuickGelu", ["sum"], ["silu"], domain="com.microsoft", alpha=1.0),
        N("Transpose", ["sum"], ["last"], perm=[0, 2, 3, 1]),
        N("BiasGelu", ["last", "b2"], ["gelu_last"], domain="com.microsoft"),
        N("Transpose", ["gelu_last"], ["gelu"], perm=[0, 3, 1, 2]),
    ],
    ["relu", "sum", "leaky", "hard", "quick", "silu", "gelu"],
    [constant("w1", weights(6, 3, 3, 3)), constant("b1", weights(6)), constant("w2", weights(6, 6, 1, 1)), constant("b2", weights(6))],
    domains=("com.microsoft",),
)

save_file(expected, "expected.safetensors")
