#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `millrace run --float` with Keras and QKeras, layer by layer.

    bench/peers/keras_layers.py --millrace build/dev/bin/millrace [--rounds 5] [--only qkeras]

Builds small networks of every layer that Millrace reads, with random options and weights, saves each
as `.h5`, `.keras` or `.json` with its weights, and runs both on the same random inputs. Inputs and
quantised weights are narrow enough for float32 to hold every sum exactly. An output that differs by
more than float32's precision counts; a refusal is printed with its reason. `bernoulli` is left out:
QKeras draws its weights at random. QKeras 0.9.0 has no QDenseBatchnorm. Needs the packages of
bench/peers/requirements-keras.txt (Keras 2 and QKeras).
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import logging  # noqa: E402
import warnings  # noqa: E402

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow.keras import layers as K  # noqa: E402
import qkeras as Q  # noqa: E402
from tensorflow.python.ops import array_ops  # noqa: E402

warnings.filterwarnings("ignore")
logging.getLogger("tensorflow").setLevel(logging.ERROR)

array_ops.stack = tf.stack  # where QKeras 0.9.0 looks for it

FUNCTIONS = ("linear", "relu", "relu6", "elu", "selu", "gelu", "swish", "sigmoid", "hard_sigmoid",
             "tanh", "softmax", "softplus", "softsign", "exponential", "mish")
IMAGE, SEQUENCE, VECTOR = (7, 6, 4), (9, 4), (10,)
INPUT_STEP = 2.0**-3


class Options:
    """Random options of layers."""

    def __init__(self, random):
        self.random = random

    def one(self, *choices):
        return choices[self.random.integers(len(choices))]

    def number(self, least, most):
        return int(self.random.integers(least, most + 1))

    def flag(self):
        return bool(self.random.integers(2))

    def window(self, dimensions, causal=False, dilated=True):
        """Kernel, strides, padding and dilation of a convolution; strides or dilation are 1."""
        padding = ("valid", "same", "causal") if causal else ("valid", "same")
        result = {"kernel_size": [self.number(1, 3) for _ in range(dimensions)],
                  "padding": self.one(*padding), "use_bias": self.flag()}
        if dilated and self.flag():
            result["dilation_rate"] = [self.number(1, 2) for _ in range(dimensions)]
        else:
            result["strides"] = [self.number(1, 2)] * dimensions
        if dimensions == 1:
            result = {key: value[0] if isinstance(value, list) else value
                      for key, value in result.items()}
        return result

    def pool(self, dimensions):
        size = [self.number(1, 3) for _ in range(dimensions)]
        strides = self.one(None, [self.number(1, 3) for _ in range(dimensions)])
        if dimensions == 1:
            size, strides = size[0], strides and strides[0]
        return {"pool_size": size, "strides": strides, "padding": self.one("valid", "same")}

    def sides(self):
        return self.one(self.number(0, 2), (self.number(0, 2), self.number(0, 2)),
                        ((self.number(0, 2), self.number(0, 2)), (self.number(0, 2), self.number(0, 2))))

    def bits(self, alpha=(1, 1.0, 0.5, "auto", "auto_po2", None)):
        width = self.number(2, 6)
        return (f"quantized_bits({width},{self.number(0, 2)},{self.one(0, 1)},"
                f"alpha={self.one(*alpha)!r})")

    def weights(self):
        return self.one(self.bits(), self.bits(), "binary()", "binary(alpha=1)", "ternary()", "ternary(alpha=1)",
                        "ternary(alpha='auto')", "ternary(alpha='auto_po2',threshold=0.4)",
                        "stochastic_binary()", "stochastic_ternary()",
                        f"quantized_po2({self.number(2, 4)})",
                        f"quantized_po2({self.number(2, 4)},{self.one(0.5, 1, 2)})",
                        f"quantized_linear({self.number(2, 6)},1,alpha=1)",
                        f"quantized_linear({self.number(2, 6)},0,alpha='auto_po2')")

    def bias(self):
        return self.one(None, self.bits(alpha=(1,)))

    def activation(self):
        width, integer = self.number(2, 6), self.number(0, 2)
        return self.one(
            f"quantized_bits({width},{integer},alpha=1)",
            f"quantized_bits({width},{integer},0,0,alpha=1)",
            f"quantized_bits({width},{integer},1,1,alpha=1.0)",
            f"quantized_relu({width},{integer})",
            f"quantized_relu({width},{integer},negative_slope=0.25)",
            f"quantized_relu({width},{integer},use_sigmoid=1)",
            f"quantized_relu({width},{integer},is_quantized_clip=False,relu_upper_bound=0.9)",
            f"quantized_relu_po2({self.number(2, 4)})",
            f"quantized_relu_po2({self.number(2, 4)},2)",
            f"quantized_po2({self.number(2, 4)})",
            f"quantized_linear({width},{integer},alpha=1)",
            f"quantized_tanh({width})", f"quantized_tanh({width},use_real_tanh=True)",
            f"quantized_tanh({width},symmetric=True)",
            f"quantized_sigmoid({width})", f"quantized_sigmoid({width},use_real_sigmoid=True)",
            f"quantized_sigmoid({width},symmetric=True)",
            f"quantized_hswish({width},{integer},alpha=1)",
            "binary(alpha=1)", "binary(use_01=True,alpha=1)", "ternary(alpha=1)", "ternary(alpha=1,threshold=0.5)",
            "stochastic_binary(alpha=1)", "stochastic_ternary(alpha=1)",
            "hard_sigmoid", "smooth_sigmoid", "hard_tanh", "smooth_tanh", "binary_sigmoid", "binary_tanh")


def keras_cases(o):
    """Name, input shape and what is behind the input."""
    vector, sequence, image = VECTOR, SEQUENCE, IMAGE
    yield "Dense", o.one(vector, sequence, image), lambda x: K.Dense(
        o.number(1, 5), activation=o.one(*FUNCTIONS), use_bias=o.flag())(x)
    yield "Activation", o.one(vector, image), lambda x: K.Activation(o.one(*FUNCTIONS))(x)
    for dimensions, shape in ((1, sequence), (2, image)):
        name = f"{dimensions}D"
        group = o.one(1, 2)
        yield "Conv" + name, shape, lambda x: getattr(K, "Conv" + name)(
            2 * o.number(1, 3), groups=group, activation=o.one("relu", "linear", "tanh"),
            **o.window(dimensions, causal=dimensions == 1))(x)
        depthwise = o.window(dimensions, dilated=dimensions == 2)
        if dimensions == 2:
            depthwise["strides"] = (lambda s: s[0] if s else 1)(depthwise.get("strides"))
            depthwise["strides"] = (depthwise["strides"],) * 2
        yield "DepthwiseConv" + name, shape, lambda x: getattr(K, "DepthwiseConv" + name)(
            depth_multiplier=o.number(1, 2), **depthwise)(x)
        yield "SeparableConv" + name, shape, lambda x: getattr(K, "SeparableConv" + name)(
            o.number(1, 4), depth_multiplier=o.number(1, 2), **o.window(dimensions, dilated=False))(x)
        yield f"Conv{name}Transpose", shape, lambda x: getattr(K, f"Conv{name}Transpose")(
            o.number(1, 4), **o.window(dimensions, dilated=False))(x)
        for kind in ("Max", "Average"):
            yield f"{kind}Pooling{name}", shape, lambda x: getattr(K, f"{kind}Pooling{name}")(
                **o.pool(dimensions))(x)
            yield f"Global{kind}Pooling{name}", shape, lambda x: getattr(
                K, f"Global{kind}Pooling{name}")(keepdims=o.flag())(x)
    yield "BatchNormalization", o.one(vector, sequence, image), lambda x: K.BatchNormalization(
        center=o.flag(), scale=o.flag(), epsilon=o.one(1e-3, 1e-5, 0.1))(x)
    yield "Rescaling", image, lambda x: K.Rescaling(o.one(0.5, 1 / 255), offset=o.one(0, -1, 0.25))(x)
    yield "Flatten", image, lambda x: K.Dense(3)(K.Flatten()(x))
    yield "Reshape", image, lambda x: K.Reshape(o.one((-1,), (21, 8), (6, 7, 4), (168,), (3, 7, 8)))(x)
    yield "Permute", image, lambda x: K.Permute(tuple(int(i) + 1 for i in o.random.permutation(3)))(x)
    yield "RepeatVector", vector, lambda x: K.RepeatVector(o.number(1, 4))(x)
    yield "ZeroPadding1D", sequence, lambda x: K.ZeroPadding1D(o.one(1, (0, 2), (3, 1)))(x)
    yield "ZeroPadding2D", image, lambda x: K.ZeroPadding2D(o.sides())(x)
    yield "Cropping1D", sequence, lambda x: K.Cropping1D(o.one(1, (0, 2), (3, 1)))(x)
    yield "Cropping2D", image, lambda x: K.Cropping2D(o.sides())(x)
    yield "UpSampling1D", sequence, lambda x: K.UpSampling1D(o.number(1, 3))(x)
    yield "UpSampling2D", image, lambda x: K.UpSampling2D(o.one(2, (1, 3), (2, 1)))(x)
    for kind in ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Average", "Concatenate"):
        count = o.one(2, 4) if kind == "Average" else 2 if kind == "Subtract" else o.number(2, 4)
        shape = o.one(vector, sequence, image)
        yield kind, shape, lambda x: getattr(K, kind)()(
            [x] + [K.Dense(x.shape[-1])(x) for _ in range(count - 1)])
    yield "Dropout", vector, lambda x: K.Dropout(0.5)(x)
    yield "ReLU", image, lambda x: K.ReLU(max_value=o.one(None, 0.75, 6), negative_slope=o.one(0, 0.125),
                                         threshold=o.one(0, 0, 0.5))(x)
    yield "LeakyReLU", image, lambda x: K.LeakyReLU(o.one(0.3, 0.125))(x)
    yield "PReLU", image, lambda x: K.PReLU(shared_axes=o.one(None, [1, 2]))(x)
    yield "ELU", vector, lambda x: K.ELU(o.one(1.0, 0.5))(x)
    yield "Softmax", o.one(vector, image), lambda x: K.Softmax()(x)
    yield "called twice", vector, lambda x: (lambda d: K.Add()([d(x), d(K.ReLU()(x))]))(K.Dense(10))
    yield "branches", image, lambda x: K.Concatenate()(
        [K.Conv2D(3, 3, padding="same")(x), K.MaxPooling2D(3, 1, "same")(x), K.DepthwiseConv2D(1)(x)])


def qkeras_cases(o):
    vector, sequence, image = VECTOR, SEQUENCE, IMAGE

    def kernel(name="kernel", biased=True):
        result = {f"{name}_quantizer": o.weights()}
        if biased:
            result["bias_quantizer"] = o.bias()
        return result

    activation = {"activation": o.one(None, o.activation())}
    yield "QActivation", o.one(vector, image), lambda x: Q.QActivation(o.activation())(x)
    yield "QDense", o.one(vector, sequence), lambda x: Q.QDense(
        o.number(1, 5), use_bias=o.flag(), **kernel(), **activation)(x)
    yield "QConv1D", sequence, lambda x: Q.QConv1D(
        o.number(1, 4), **o.window(1, causal=True), **kernel(), **activation)(x)
    yield "QConv2D", image, lambda x: Q.QConv2D(o.number(1, 4), **o.window(2), **kernel(), **activation)(x)
    yield "QDepthwiseConv2D", image, lambda x: Q.QDepthwiseConv2D(
        depth_multiplier=o.number(1, 2), **o.window(2, dilated=False), **kernel("depthwise"), **activation)(x)
    for name, shape in (("QSeparableConv1D", sequence), ("QSeparableConv2D", image)):
        yield name, shape, lambda x: getattr(Q, name)(
            o.number(1, 4), **o.window(len(shape) - 1, dilated=False), **kernel("depthwise"),
            **kernel("pointwise", biased=False), **activation)(x)
    yield "QConv2DTranspose", image, lambda x: Q.QConv2DTranspose(
        o.number(1, 4), **o.window(2, dilated=False), **kernel(), **activation)(x)
    yield "QBatchNormalization", o.one(vector, image), lambda x: Q.QBatchNormalization(
        center=o.flag(), scale=o.flag())(x)
    folding = {"ema_freeze_delay": None, "folding_mode": o.one("ema_stats_folding", "batch_stats_folding")}
    yield "QConv2DBatchnorm", image, lambda x: Q.QConv2DBatchnorm(
        o.number(1, 4), **o.window(2, dilated=False), **kernel(), **folding)(x)
    yield "QDepthwiseConv2DBatchnorm", image, lambda x: Q.QDepthwiseConv2DBatchnorm(
        **o.window(2, dilated=False), **kernel("depthwise"), **folding)(x)
    yield "QAveragePooling2D", image, lambda x: Q.QAveragePooling2D(
        **o.pool(2), average_quantizer=o.bits(alpha=(1,)), activation=o.one(None, "quantized_bits(6,1,alpha=1)"))(x)
    yield "QGlobalAveragePooling2D", image, lambda x: Q.QGlobalAveragePooling2D(
        average_quantizer=o.bits(alpha=(1,)), activation="quantized_bits(6,1,alpha=1)")(x)


def set_weights(model, random):
    for layer in model.layers:
        values = []
        for variable in layer.weights:
            number = random.normal(size=variable.shape) * 0.6
            if "variance" in variable.name:
                number = random.uniform(0.3, 2, variable.shape)
            if "iteration" in variable.name or "step" in variable.name:
                number = np.full(variable.shape, -1)
            values.append(np.asarray(number, dtype=variable.dtype.as_numpy_dtype))
        layer.set_weights(values)


def save(model, kind, folder):
    """The file to read."""
    if kind == "json":
        (folder / "model.json").write_text(model.to_json())
        model.save_weights(str(folder / "model_weights.h5"))
    else:
        model.save(str(folder / f"model.{kind}"))
    return folder / f"model.{kind}"


def compare(millrace, build, shape, options, folder, is_quantised):
    """Outputs that were compared, that differ, and the reason of a refusal."""
    random = options.random
    x = tf.keras.Input(shape)
    first = Q.QActivation("quantized_bits(6,2,alpha=1)", name="source")(x) if is_quantised else x
    model = tf.keras.Model(x, build(first))
    set_weights(model, random)
    inputs = random.integers(-32, 32, (16, *shape)) * INPUT_STEP
    expected = model.predict(inputs.astype(np.float32), verbose=0)
    path = save(model, options.one("h5", "keras", "json"), folder)
    np.save(folder / "x.npy", inputs)
    done = subprocess.run([millrace, "run", path, "--float", "--input", folder / "x.npy",
                           "--output", folder / "y.npy"], capture_output=True, text=True)
    if done.returncode:
        return 0, 0, done.stderr.splitlines()[0]
    result = np.load(folder / "y.npy").reshape(expected.shape)
    # Exponentials and selu lose more of float32 than sums do.
    different = np.abs(result - expected) > 2e-5 * np.maximum(1, np.abs(expected))
    return expected.size, int(np.sum(different)), ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", type=Path, required=True, help="the program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("keras", "qkeras"))
    parser.add_argument("--layer", help="only layers of that name")
    parser.add_argument("--keep", type=Path, help="where to leave the models that differ")
    options = parser.parse_args()
    total = compared = refused = 0
    for round_ in range(options.rounds):
        o = Options(np.random.default_rng([options.seed, round_]))
        cases = {"keras": keras_cases(o), "qkeras": qkeras_cases(o)}
        for family, (name, shape, build) in ((f, case) for f in cases for case in cases[f]):
            if options.only not in (None, family):
                continue
            is_quantised = family == "qkeras"
            if options.layer and name != options.layer:
                continue
            tf.keras.backend.clear_session()
            with tempfile.TemporaryDirectory() as folder:
                try:
                    count, different, reason = compare(options.millrace.resolve(), build, shape, o,
                                                       Path(folder), is_quantised)
                except Exception as failure:  # not every choice of options is one that it takes
                    print(f"{round_} {name:26} Keras itself: {str(failure).splitlines()[0][:150]}", flush=True)
                    continue
                if different and options.keep:
                    subprocess.run(["cp", "-r", folder, options.keep / f"{round_}_{name}"], check=True)
            if different or reason:
                print(f"{round_} {name:26} {count:6,} outputs {different:5,} differ {reason[:230]}", flush=True)
            total, compared, refused = total + different, compared + count, refused + bool(reason)
    print(f"{compared:,} outputs, {total:,} differ; {refused} networks refused")
    return 1 if total or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
