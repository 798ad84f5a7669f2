#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `millrace run --float` with QONNX's own execution of its operators.

    bench/peers/qonnx_operators.py --millrace build/dev/bin/millrace [--rounds 20]

Builds small models with random `Quant`, `BipolarQuant`, `Trunc` and `MultiThreshold` nodes, of
activations and of weights, and QONNX's convolutions, pools and normalisations on channels-last
tensors, and runs both on the same random inputs. Where scales are powers of two, inputs include ties
and everything is exact; else float32's division may decide. Needs the packages of
bench/peers/requirements-qonnx.txt.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

ROUNDINGS = ("ROUND", "HALF_EVEN", "FLOOR", "DOWN", "HALF_UP", "HALF_DOWN")
GENERAL, LAST = "qonnx.custom_op.general", "qonnx.custom_op.channels_last"
MAP, MAP_LAST, VECTOR = (1, 3, 4, 5), (1, 4, 5, 3), (1, 6)


class Model:
    """An ONNX model, node by node."""

    def __init__(self, shape, random):
        self.shape, self.random, self.nodes, self.constants = shape, random, [], []

    def constant(self, numbers):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(numbers, dtype=np.float32), name))
        return name

    def node(self, op, inputs, domain="", **attributes):
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def one(self, *choices):
        return choices[self.random.integers(len(choices))]

    def weights(self, *shape):
        """Multiples of 1/8, some of them ties of wider steps."""
        return self.constant(self.random.integers(-24, 25, shape) / 8)

    def steps(self, shape, is_general):
        if is_general:
            return self.random.uniform(0.1, 0.9, shape).astype(np.float32)
        return 2.0 ** self.random.integers(-3, 1, shape)

    def quant(self, x, shape, is_general=False, channel_axis=None, zero=True):
        channels = [1] * len(shape)
        if channel_axis is not None and self.random.integers(2):
            channels[channel_axis] = shape[channel_axis]
        scale = self.steps(channels if self.random.integers(2) else (), is_general)
        signed = int(self.random.integers(2))
        width = self.random.integers(2, 7)  # QONNX 1.0.0 executes one width for all
        point = self.random.integers(-3, 4) if zero and self.random.integers(3) == 0 else 0
        return self.node("Quant", [x, self.constant(scale), self.constant(point), self.constant(width)],
                         GENERAL, signed=signed, narrow=int(self.random.integers(2)),
                         rounding_mode=self.one(*ROUNDINGS))

    def finish(self, last, version=1, shapes=()):
        """The model; QONNX's own shape inference has to be told some tensors' shapes."""
        port = helper.make_tensor_value_info
        graph = helper.make_graph(self.nodes, "g", [port("x", TensorProto.FLOAT, self.shape)],
                                  [port(last, TensorProto.FLOAT, None)], self.constants,
                                  value_info=[port(name, TensorProto.FLOAT, shape) for name, shape in shapes])
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid(GENERAL, version),
                  helper.make_opsetid(LAST, 14)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def quant(random, is_general):
    shape = MAP if random.integers(2) else VECTOR
    model = Model(shape, random)
    return model.finish(model.quant("x", shape, is_general, channel_axis=1)), shape


def plain_input(model, shape):
    """A quantiser that leaves the inputs as they are."""
    scale, zero, width = model.constant(0.125), model.constant(0), model.constant(8)
    return model.node("Quant", ["x", scale, zero, width], GENERAL, signed=1, narrow=0)


def weights(random, is_general):
    kind = int(random.integers(3))
    shape = VECTOR if kind else MAP
    model = Model(shape, random)
    x = plain_input(model, shape)
    if kind == 0:
        w = model.quant(model.weights(4, 3, 2, 2), (4, 3, 2, 2), is_general, 0, zero=False)
        y = model.node("Conv", [x, w], kernel_shape=[2, 2], strides=[1, 2], pads=[1, 0, 0, 1])
    elif kind == 1:
        w = model.quant(model.weights(6, 3), (6, 3), is_general, 1, zero=False)
        y = model.node("MatMul", [x, w])
    else:
        w = model.quant(model.weights(3, 6), (3, 6), is_general, 0, zero=False)
        b = model.quant(model.weights(3), (3,), False, zero=False)
        y = model.node("Gemm", [x, w, b], transB=1)
    return model.finish(y), shape


def bipolar(random, is_general):
    model = Model(MAP, random)
    scale = model.constant(model.steps(model.one((), (1, 3, 1, 1)), is_general))
    y = model.node("BipolarQuant", ["x", scale], GENERAL)
    w = model.node("BipolarQuant", [model.weights(2, 3, 1, 1), model.constant(model.steps((), is_general))],
                   GENERAL)
    return model.finish(model.node("Conv", [y, w], kernel_shape=[1, 1])), MAP


def trunc(random, is_general):
    del is_general
    model = Model(MAP, random)
    x = plain_input(model, MAP)
    one, zero = model.constant, model.constant(0)
    narrow = {"signed": 1, "narrow": int(random.integers(2))} if random.integers(2) else {}
    dropped = int(random.integers(1, 5))
    mode = model.one("FLOOR", "ROUND", "DOWN", "HALF_UP")
    if random.integers(2):
        y = model.node("Trunc", [x, one(0.125), zero, one(8), one(8 - dropped)], GENERAL, rounding_mode=mode)
        return model.finish(y), MAP
    y = model.node("Trunc", [x, one(0.125), zero, one(8), one(0.125 * 2**dropped), one(8 - dropped)],
                   GENERAL, rounding_mode=mode, **narrow)
    return model.finish(y, version=2), MAP


def thresholds(random, is_general):
    del is_general
    model = Model(MAP, random)
    count = int(random.integers(1, 16))
    rows = np.sort(random.integers(-32, 33, (int(model.one(1, 3)), count)) / 8, axis=1)
    y = model.node("MultiThreshold", ["x", model.constant(rows)], GENERAL, out_dtype="INT8",
                   out_scale=float(model.one(1, 0.5, 2)), out_bias=float(model.one(0, -1, 0.5)))
    return model.finish(y), MAP


def channels_last(random, is_general):
    del is_general
    model = Model(MAP_LAST, random)
    convolved = model.node("Conv", ["x", model.weights(4, 2, 3, 3)], LAST, kernel_shape=[2, 3], strides=[1, 1],
                           dilations=[1, 1], pads=[0, 1, 1, 1], group=1)
    normalised = model.node("BatchNormalization",
                            [convolved, *(model.weights(4) for _ in range(3)),
                             model.constant(random.uniform(0.5, 2, 4))], LAST)
    y = model.node("MaxPool", [normalised], LAST, kernel_shape=[2, 2], strides=[2, 1], pads=[0, 0, 0, 0])
    shape = (1, 4, 5, 4)
    return model.finish(y, shapes=[(convolved, shape), (normalised, shape)]), MAP_LAST


CASES = {"Quant": quant, "weights": weights, "BipolarQuant": bipolar, "Trunc": trunc,
         "MultiThreshold": thresholds, "channels last": channels_last}


def compare(millrace, model, shape, random, folder, is_general):
    """Outputs that were compared, that differ, and the reason of a refusal."""
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    samples = 16
    inputs = random.integers(-48, 49, (samples, *shape[1:])) / 8
    if is_general:
        inputs = random.uniform(-6, 6, (samples, *shape[1:])).astype(np.float32).astype(float)
        if any(node.op_type != "Quant" or node.input[0] != "x" for node in model.graph.node):
            inputs = np.round(inputs * 8) / 8
    np.save(folder / "x.npy", inputs)
    done = subprocess.run([millrace, "run", path, "--float", "--input", folder / "x.npy",
                           "--output", folder / "y.npy"], capture_output=True, text=True)
    if done.returncode:
        return 0, 0, done.stderr.splitlines()[0]
    wrapped = ModelWrapper(model).transform(InferShapes())
    name = model.graph.output[0].name
    expected = np.stack([execute_onnx(wrapped, {"x": x[np.newaxis].astype(np.float32)})[name][0]
                         for x in inputs])
    result = np.load(folder / "y.npy").reshape(expected.shape)
    different = np.abs(result - expected) > 1e-5 * np.maximum(1, np.abs(expected))
    return expected.size, int(np.sum(different)), ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", type=Path, required=True, help="the program")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where to leave the models that differ")
    options = parser.parse_args()
    total = all_compared = 0
    for name, build in CASES.items():
        compared = differ = refused = 0
        for round_ in range(options.rounds):
            random = np.random.default_rng([options.seed, round_])
            is_general = bool(round_ % 2)
            model, shape = build(random, is_general)
            with tempfile.TemporaryDirectory() as folder:
                count, different, reason = compare(options.millrace.resolve(), model, shape, random,
                                                   Path(folder), is_general)
            if different and options.keep:
                (options.keep / f"{name}_{round_}.onnx").write_bytes(model.SerializeToString())
            if different or reason:
                print(f"  {name} {round_}: {different:,} of {count:,} differ {reason[:160]}", flush=True)
            compared, differ, refused = compared + count, differ + different, refused + bool(reason)
        print(f"{name:16} {compared:9,} outputs {differ:6,} differ {refused:3} refused", flush=True)
        total, all_compared = total + differ, all_compared + compared
    print(f"{all_compared:,} outputs, {total:,} differ")
    return 1 if total or not all_compared else 0


if __name__ == "__main__":
    sys.exit(main())
