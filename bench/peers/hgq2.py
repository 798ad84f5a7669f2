#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `millrace run` bit for bit with HGQ2 on small networks of HGQ2's layers.

    bench/peers/hgq2.py --millrace build/dev/bin/millrace [--rounds 2] [--samples 64]

Builds each network with Keras, sets random widths in all quantisers (of single elements, channels or
whole tensors; none, one bit, fewer fraction bits than none) and random weights, saves it as
`.keras`, and runs HGQ2 and `millrace run` on the same random inputs. Needs the packages of
bench/peers/requirements-hgq2.txt.

Numbers are narrow enough for float32 to hold them exactly. Tables and normalisations are float32's:
where a result lies as close to the middle between two steps as float32's own rounding, the backend's
functions decide.
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
import keras  # noqa: E402
import numpy as np  # noqa: E402
from hgq.config import HardSigmoidConfig, HardTanhConfig, QuantizerConfig  # noqa: E402
from hgq.layers import *  # noqa: E402, F403
from hgq.quantizer.internal import FixedPointQuantizerKBI, FixedPointQuantizerKIF  # noqa: E402

ROUNDINGS = "RND", "RND_CONV", "TRN", "S_RND", "S_RND_CONV", "TRN_ZERO", "RND_ZERO", "RND_MIN_INF", "RND_INF"
OVERFLOWS = "WRAP", "SAT", "SAT_SYM"


class Configurations:
    """Random configurations of quantisers."""

    def __init__(self, random):
        self.random = random

    def choice(self, options):
        return options[self.random.integers(len(options))]

    def __call__(self, place="datalane", rank=None, **options):
        kind = self.choice(("kif", "kbi"))
        if place in ("datalane", "table") and rank:
            axes = [axis for axis in range(1, rank) if self.random.integers(2)]
            options.setdefault("heterogeneous_axis", axes)
        elif place in ("weight", "bias") and self.random.integers(3) == 0:
            options.setdefault("heterogeneous_axis", [-1])
        if self.random.integers(4) == 0:
            options.setdefault("scaler", float(self.choice((0.25, 2.0))))
        options.setdefault("trainable", bool(self.random.integers(3)))
        options.setdefault("round_mode", self.choice(ROUNDINGS))
        options.setdefault("overflow_mode", self.choice(OVERFLOWS))
        return QuantizerConfig(kind, place, **options)

    def data(self, x, **options):
        return self(rank=len(x.shape), **options)

    def layer(self, x, **options):
        return {"iq_conf": self.data(x), "enable_oq": True, "oq_conf": self(rank=1),
                "enable_ebops": bool(self.random.integers(2)), **options}

    def product(self, x, **options):
        return self.layer(x, kq_conf=self("weight"), bq_conf=self("bias"), **options)

    def merge(self, inputs):
        options = self.layer(inputs[0], iq_confs=[self.data(x) for x in inputs])
        del options["iq_conf"]
        return options


def source(shape):
    """An input whose type is one for all elements, and wide."""
    x = keras.Input(shape)
    return x, Quantizer(QuantizerConfig("kif", "datalane", heterogeneous_axis=(), i0=3, f0=4,
                                        overflow_mode="SAT", round_mode="RND"), name="source")(x)


def quantizers(c):
    x, y = source((4, 3))
    y = Quantizer(c.data(y))(y)
    outputs = [Quantizer(c.data(y))(y), Quantizer("dummy")(y), Quantizer(HardSigmoidConfig())(y),
               Quantizer(HardTanhConfig(round_mode="RND_CONV"))(y),
               Quantizer(c.data(y, affine=(0.5, -1.25)))(y)]
    return x, keras.layers.Concatenate()(outputs)


def dense(c):
    x, y = source((5,))
    y = QDense(4, activation="relu", **c.product(y))(y)
    y = QBatchNormDense(6, **c.product(y))(y)
    return x, QDense(3, **c.product(y, use_bias=False))(y)


def sequence(c):
    x, y = source((4, 3))
    # HGQ2 quantises behind its causal padding, by the shape before it.
    causal = c.product(y, iq_conf=c(heterogeneous_axis=(2,)))
    y = QConv1D(4, 2, padding="causal", **causal)(y)
    y = QBatchNormDense(3, scale=False, activation="relu", **c.product(y))(y)
    y = QMaxPooling1D(2, strides=1, padding="same", **c.layer(y))(y)
    y = QConv1D(6, 3, padding="same", groups=3, **c.product(y))(y)
    y = QAveragePooling1D(2, **c.layer(y))(y)
    return x, QGlobalMaxPooling1D(**c.layer(y))(y)


def image(c):
    x, y = source((6, 5, 2))
    y = QConv2D(3, (2, 3), padding="same", activation="relu", **c.product(y))(y)
    y = QBatchNormalization(**c.product(y))(y)
    y = QAveragePooling2D((2, 3), strides=1, padding="same", **c.layer(y))(y)
    y = QConv2D(4, 2, strides=2, **c.product(y))(y)
    y = QMaxPooling2D(2, strides=1, **c.layer(y))(y)
    return x, QGlobalAveragePooling2D(keepdims=bool(c.random.integers(2)), **c.layer(y))(y)


def normalization(c):
    x, y = source((3, 4))
    y = QBatchNormalization(center=False, **c.product(y))(y)
    y = QBatchNormalization(scale=False, epsilon=0.01, **c.product(y))(y)
    return x, QGlobalAveragePooling1D(**c.layer(y))(y)


def einsum(c):
    x, y = source((4, 3))
    y = QEinsumDense("...x,xy->...y", 5, bias_axes="y", activation="relu", **c.product(y))(y)
    y = QEinsumDenseBatchnorm("abc,dc->abd", (4, 3), bias_axes="d", **c.product(y))(y)
    y = QEinsumDense("abc,cde->abed", (4, 2, 3), bias_axes="be", **c.product(y))(y)
    y = QEinsumDenseBatchnorm("abcd,edcf->abef", (4, 2, 3), bias_axes="ef", **c.product(y))(y)
    return x, QEinsumDense("abcd,bcde->ae", 4, **c.product(y))(y)


def merge(c):
    x, a = source((4, 3))
    b = QDense(3, **c.product(a))(a)
    outputs = [kind(**c.merge([a, b]))([a, b])
               for kind in (QAdd, QSubtract, QMultiply, QMaximum, QMinimum)]
    outputs.append(QAveragePow2(**c.merge([a, b, a]))([a, b, a]))
    outputs.append(QAdd(enable_iq=False)([outputs[0], outputs[2]]))
    return x, keras.layers.Concatenate()(outputs)


def sums(c):
    x, y = source((4, 3, 5))

    def options(value):  # HGQ2 0.2.0 does not build a quantiser behind a sum
        return {**c.layer(value), "enable_oq": False, "oq_conf": None}

    outputs = [QSum(axes=axes, scale=float(2.0 ** c.random.integers(-2, 3)), **options(y))(y)
               for axes in (1, (1, 2), -1, (2, 3), (1, 3))]
    outputs += [QMeanPow2(axes=(1, 2, 3), keepdims=True, **options(y))(y),
                QMeanPow2(axes=2, **options(y))(y)]
    outputs += [QMeanPow2(axes=1, keepdims=True, **options(outputs[0]))(outputs[0]),
                QSum(keepdims=True, **options(outputs[1]))(outputs[1])]
    flat = [keras.layers.Flatten()(output) for output in outputs]
    return x, keras.layers.Concatenate()(flat)


def tables(c):
    x, y = source((3, 4))
    outputs = []
    for name in ("tanh", "sigmoid", "relu", "exponential", "gelu", "softplus", "elu", "silu",
                 "hard_sigmoid", "leaky_relu"):
        overflow = c.choice(("SAT", "SAT_SYM"))
        kind = c.choice((QUnaryFunctionLUT, QAffinedUnaryFunctionLUT))
        outputs.append(kind(name, iq_conf=c.data(y), oq_conf=c(
            "table", rank=3, overflow_mode=overflow, round_mode=c.choice(("RND", "RND_CONV", "TRN"))))(y))
    return x, keras.layers.Concatenate()(outputs)


def softmax(c):
    x, y = source((2, 5))
    z = QGlobalMaxPooling1D(**c.layer(y))(y)
    outputs = []
    for value, stable in ((y, True), (y, False), (z, True), (z, False)):
        # A table that wraps to negative numbers may meet the pole of 1 / x.
        layer = QSoftmax(stable=stable, enable_iq=True, iq_conf=c.data(value),
                         exp_iq_conf=c(overflow_mode="SAT"), exp_oq_conf=c("table"),
                         inv_iq_conf=c(overflow_mode="SAT"), inv_oq_conf=c("table"),
                         input_scaler=c.choice((1.0, 0.5)), enable_oq=True, oq_conf=c())
        outputs.append(keras.layers.Flatten()(layer(value)))
    return x, keras.layers.Concatenate()(outputs)


CASES = {case.__name__: case for case in (quantizers, dense, sequence, image, normalization, einsum,
                                          merge, sums, tables, softmax)}


def internal_quantizers(layer, found):
    for inner in layer._layers:
        if isinstance(inner, (FixedPointQuantizerKBI, FixedPointQuantizerKIF)):
            found.append(inner)
        internal_quantizers(inner, found)
    return found


def randomize(model, random):
    """Random widths and weights. Fractions of widths are rounded by HGQ2."""
    for layer in model.layers:
        if layer.name == "source":
            continue
        for quantizer in internal_quantizers(layer, []):
            shape = quantizer._i.shape
            integers = random.integers(1, 4, shape) + random.uniform(-0.4, 0.4, shape)
            fractions = random.integers(1, 5, shape) + random.uniform(-0.4, 0.4, shape)
            if random.integers(4) == 0:
                odd = random.uniform(size=shape) < 0.4
                integers = np.where(odd, random.integers(-3, 1, shape), integers)
                odd = random.uniform(size=shape) < 0.4
                fractions = np.where(odd, random.integers(-2, 7, shape), fractions)
            quantizer._i.assign(integers)
            quantizer._k.assign(random.uniform(size=shape) < 0.85)
            if isinstance(quantizer, FixedPointQuantizerKBI):
                quantizer._b.assign(np.round(integers) + np.round(fractions))
            else:
                quantizer._f.assign(fractions)
        for weight in layer.weights:
            name = weight.name
            if name in ("kernel", "bias", "bn_gamma", "gamma", "bn_beta", "moving_mean", "scale"):
                weight.assign(random.normal(size=weight.shape) * (2 if name == "kernel" else 1))
            elif name == "moving_variance":
                weight.assign(random.uniform(0.2, 4, weight.shape))


def observed(model):
    """The model with the results of all its layers of HGQ2 side by side."""
    outputs = [keras.layers.Flatten()(layer.output) for layer in model.layers
               if type(layer).__module__.startswith("hgq")]
    return keras.Model(model.inputs[0], keras.layers.Concatenate()(outputs))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", default="build/dev/bin/millrace")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--rounds", type=int, default=2, help="networks of each case")
    parser.add_argument("--samples", type=int, default=64, help="inputs of each network")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for all files, instead of a temporary one")
    arguments = parser.parse_args()
    total = differing = refused = 0
    for name in arguments.cases.split(","):
        for number in range(arguments.rounds):
            random = np.random.default_rng([arguments.seed, number, *name.encode()])
            keras.utils.clear_session()
            x, y = CASES[name](Configurations(random))
            model = observed(keras.Model(x, y))
            randomize(model, random)
            # As many fraction bits as the source has, or more: it rounds itself.
            inputs = random.integers(-400, 400, (arguments.samples, *x.shape[1:])) / 32
            inputs = inputs.astype(np.float32)
            expected = np.asarray(model(inputs, training=False)).reshape(len(inputs), -1)
            with tempfile.TemporaryDirectory() as temporary:
                folder = (arguments.keep or Path(temporary)).absolute() / f"{name}-{number}"
                folder.mkdir(parents=True, exist_ok=True)
                model.save(folder / "model.keras")
                maps = inputs[:, None] if inputs.ndim == 3 else inputs  # one row of a map
                np.save(folder / "x.npy", maps)
                np.save(folder / "expected.npy", expected)
                run = subprocess.run(
                    [Path(arguments.millrace).absolute(), "run", folder / "model.keras",
                     "--input", folder / "x.npy", "--output", folder / "y.npy"],
                    capture_output=True, text=True)
                if run.returncode:
                    refused += 1
                    print(f"{name:14} {number:3} not run: {run.stderr.strip()}", flush=True)
                    continue
                found = np.load(folder / "y.npy").reshape(expected.shape)
            wrong = int(np.sum(~(found == expected)))
            total, differing = total + expected.size, differing + wrong
            print(f"{name:14} {number:3} {expected.size:6} outputs, {len(np.unique(expected)):5} "
                  f"distinct, {wrong} differ", flush=True)
    print(f"HGQ2: {total} outputs, {differing} differ, {refused} networks not run")
    return 1 if differing or refused or not total else 0


if __name__ == "__main__":
    sys.exit(main())
