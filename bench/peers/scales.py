#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `millrace run` with ONNX Runtime on networks that ONNX Runtime quantised.

    bench/peers/scales.py --millrace build/dev/bin/millrace [--samples 100]

Writes small networks with random weights, lets ONNX Runtime's static quantisation give them 8-bit
types with scales that are no powers of two (QuantizeLinear and DequantizeLinear; symmetric or not,
one scale for all or for each channel), and runs both on random inputs. An output that is not
ONNX Runtime's, to float32's precision, counts as different. Needs the packages of
bench/peers/requirements-scales.txt.

ONNX Runtime computes in float32: where a real result lies between two steps, or as close to there as
float32's own rounding, that decides, and Millrace rounds the real number. The networks therefore
have no mean that keeps its scale, as means of codes often lie there, and no slope like 0.1.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

SIZE, CLASSES = 8, 5
INPUT = (1, 1, SIZE, SIZE)


class Network:
    """An ONNX model, layer by layer."""

    def __init__(self, random):
        self.random, self.nodes, self.weights = random, [], []

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name, shape, scale):
        numbers = (self.random.normal(size=shape) * scale).astype(np.float32)
        self.weights.append(numpy_helper.from_array(numbers, name))
        return name

    def conv(self, x, channels, filters, name, kernel=3, **attributes):
        taps = channels // attributes.get("group", 1)
        w = self.constant(name + ".w", (filters, taps, kernel, kernel), (2 / (taps * kernel**2)) ** 0.5)
        b = self.constant(name + ".b", filters, 0.1)
        return self.node("Conv", [x, w, b], name, kernel_shape=[kernel, kernel], **attributes)

    def relu(self, x):
        return self.node("Relu", [x], x + ".relu")

    def finish(self, x, features):
        w = self.constant("fc.w", (features, CLASSES), 0.5)
        b = self.constant("fc.b", CLASSES, 1)
        self.node("Gemm", [self.node("Flatten", [x], "flat"), w, b], "y")
        graph = helper.make_graph(
            self.nodes, "network",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, INPUT)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, CLASSES))], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def residual(random):
    """Two branches of different scales are added; a mean over the map follows."""
    net = Network(random)
    a = net.relu(net.conv("x", 1, 4, "c1", pads=[1] * 4))
    b = net.conv(net.relu(net.conv(a, 4, 4, "c2", pads=[1] * 4)), 4, 4, "c3", pads=[1] * 4)
    total = net.relu(net.node("Add", [a, b], "sum"))
    return net.finish(net.node("GlobalAveragePool", [total], "mean"), 4)


def branches(random):
    """A depthwise convolution with strides; two branches are concatenated."""
    net = Network(random)
    a = net.relu(net.conv("x", 1, 4, "c1", pads=[1] * 4))
    b = net.relu(net.conv(a, 4, 4, "c2", pads=[1] * 4, group=4, strides=[2, 2]))
    left, right = net.conv(b, 4, 6, "c3", kernel=1), net.relu(net.conv(b, 4, 2, "c4", kernel=1))
    both = net.node("Concat", [left, right], "both", axis=1)
    return net.finish(net.node("MaxPool", [both], "pool", kernel_shape=[2, 2], strides=[2, 2]), 32)


def functions(random):
    """A sigmoid and a leaky rectifier."""
    net = Network(random)
    a = net.relu(net.conv("x", 1, 4, "c1", pads=[1] * 4))
    pool = net.node("MaxPool", [a], "pool", kernel_shape=[2, 2], strides=[2, 2])
    b = net.conv(net.node("Sigmoid", [pool], "sigmoid"), 4, 3, "c2")
    return net.finish(net.node("LeakyRelu", [b], "leaky", alpha=0.1234), 12)


class Samples(CalibrationDataReader):
    def __init__(self, random, count):
        self.samples = iter([{"x": random.normal(size=INPUT).astype(np.float32)} for _ in range(count)])

    def get_next(self):
        return next(self.samples, None)


def reference(path, x):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options)
    return np.concatenate([session.run(None, {"x": x[i:i + 1]})[0] for i in range(len(x))])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", default="build/release/bin/millrace", help="the program")
    parser.add_argument("--samples", type=int, default=100, help="of each network")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    differing = 0
    print("| network | zero points | scales of weights | outputs | differ |\n|---|---|---|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for build in (residual, branches, functions):
            onnx.save(build(random), folder / "float.onnx")
            for symmetric in (True, False):
                for per_channel in (False, True):
                    path = folder / "quantised.onnx"
                    quantize_static(
                        folder / "float.onnx", path, Samples(random, 64), quant_format=QuantFormat.QDQ,
                        per_channel=per_channel, weight_type=QuantType.QInt8,
                        activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
                        extra_options={"ActivationSymmetric": symmetric})
                    x = random.normal(size=(options.samples, *INPUT[1:])).astype(np.float32)
                    np.save(folder / "x.npy", x)
                    subprocess.run([options.millrace, "run", path, "--input", folder / "x.npy",
                                    "--output", folder / "y.npy"], check=True, capture_output=True)
                    expected = reference(path, x)
                    found = np.load(folder / "y.npy").reshape(expected.shape)
                    count = int((abs(found - expected) > 1e-5 * abs(expected).max()).sum())
                    differing += count
                    print(f"| {build.__name__} | {'no' if symmetric else 'yes'} | "
                          f"{'each channel' if per_channel else 'one'} | {found.size:,} | {count:,} |")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
