#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `millrace run --accumulators hls4ml` with hls4ml, bit for bit.

    bench/peers/accumulators.py --millrace build/dev/bin/millrace [--cases mlp,conv2d] [--rounds 3]

Writes small Keras models with random weights, converts each with hls4ml by several configurations of
random types, compiles what hls4ml writes with g++ against its own headers (ap_types, nnet_utils),
and compares every output of random inputs. Needs the packages of
bench/peers/requirements-accumulators.txt and g++, no Keras.
"""
import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import hls4ml
import numpy as np
import yaml
from hls4ml.converters.keras_v2_to_hls import keras_v2_to_hls

ROUNDINGS = ("TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_MIN_INF", "RND_INF", "RND_CONV")
OVERFLOWS = ("WRAP", "SAT", "SAT_ZERO", "SAT_SYM")


class Model:
    """A Keras 2 model as its JSON has it, and the weights that belong to it."""

    def __init__(self, name, shape, random):
        self.name, self.shape, self.random = name, shape, random
        self.layers, self.weights, self.last = [], {}, None
        self.add("InputLayer", "x", batch_input_shape=[None, *shape], sparse=False, ragged=False)

    def add(self, kind, name, inputs=None, **config):
        inputs = inputs or ([self.last] if self.last else [])
        nodes = [[[source, 0, 0, {}] for source in inputs]] if inputs else []
        self.layers.append({"class_name": kind, "name": name, "inbound_nodes": nodes,
                            "config": {"name": name, "trainable": True, "dtype": "float32", **config}})
        self.last = name
        return name

    def weight(self, layer, name, *shape, scale=1.0):
        fan_in = int(np.prod(shape[:-1])) or 1
        numbers = self.random.normal(size=shape, scale=scale / np.sqrt(fan_in)).astype("f4")
        self.weights.setdefault(layer, []).append((name, numbers))

    def dense(self, name, inputs, units, activation="linear"):
        self.add("Dense", name, units=units, activation=activation, use_bias=True)
        self.weight(name, "kernel", inputs, units, scale=3)
        self.weight(name, "bias", units)

    def conv(self, name, channels, filters, kernel, strides=1, padding="same", activation="linear"):
        dimensions = len(kernel)
        self.add(f"Conv{dimensions}D", name, filters=filters, kernel_size=list(kernel),
                 strides=[strides] * dimensions, padding=padding, data_format="channels_last",
                 dilation_rate=[1] * dimensions, groups=1, activation=activation, use_bias=True)
        self.weight(name, "kernel", *kernel, channels, filters, scale=3)
        self.weight(name, "bias", filters)

    def batch_normalization(self, name, channels):
        self.add("BatchNormalization", name, axis=[len(self.shape)], momentum=0.99, epsilon=0.001,
                 center=True, scale=True)
        for part in ("gamma", "beta", "moving_mean"):
            self.weight(name, part, channels)
        self.weights[name].append(("moving_variance",
                                   self.random.uniform(0.5, 2, channels).astype("f4")))

    def pool(self, name, kind, size, padding="valid"):
        self.add(f"{kind}Pooling{len(size)}D", name, pool_size=list(size), strides=list(size),
                 padding=padding, data_format="channels_last")

    def write(self, folder):
        config = {"name": self.name, "layers": self.layers, "input_layers": [["x", 0, 0]],
                  "output_layers": [[self.last, 0, 0]]}
        text = json.dumps({"class_name": "Functional", "config": config, "keras_version": "2.13.1",
                           "backend": "tensorflow"})
        (folder / "model.json").write_text(text)
        with h5py.File(folder / "model_weights.h5", "w") as file:
            for layer, parts in self.weights.items():
                group = file.create_group(layer)
                names = [f"{layer}/{name}:0" for name, _ in parts]
                group.attrs["weight_names"] = [name.encode() for name in names]
                for name, (_, numbers) in zip(names, parts):
                    group[name] = numbers
            file.attrs["layer_names"] = [layer.encode() for layer in self.weights]


def mlp(random):
    model = Model("mlp", [12], random)
    model.dense("fc1", 12, 10, "relu")
    model.dense("fc2", 10, 8, "tanh")
    model.dense("fc3", 8, 6, "sigmoid")
    model.dense("fc4", 6, 5, "softmax")
    return model


def softplus(random):
    model = Model("softplus", [9], random)
    model.dense("fc1", 9, 7, "softplus")
    model.dense("fc2", 7, 6, "softsign")
    return model


def conv2d(random):
    model = Model("conv2d", [8, 7, 2], random)
    model.conv("c1", 2, 4, (3, 3))
    model.batch_normalization("bn1", 4)
    model.add("Activation", "r1", activation="relu")
    model.pool("a1", "Average", (2, 2))
    model.conv("c2", 4, 3, (2, 3), strides=2, padding="valid", activation="relu")
    model.add("Flatten", "flat", data_format="channels_last")
    model.dense("fc", 6, 4)
    return model


def conv1d(random):
    model = Model("conv1d", [12, 3], random)
    model.conv("c1", 3, 5, (4,), activation="relu")
    model.pool("m1", "Max", (2,))
    model.conv("c2", 5, 4, (3,), padding="valid")
    model.add("GlobalAveragePooling1D", "g", data_format="channels_last", keepdims=False)
    model.dense("fc", 4, 3, "sigmoid")
    return model


def depthwise(random):
    model = Model("depthwise", [7, 6, 3], random)
    options = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same",
               "data_format": "channels_last", "dilation_rate": [1, 1], "depth_multiplier": 1,
               "activation": "linear", "use_bias": True}
    model.add("DepthwiseConv2D", "d", **options)
    model.weight("d", "depthwise_kernel", 3, 3, 3, 1, scale=2)
    model.weight("d", "bias", 3)
    model.add("SeparableConv2D", "s", **options, filters=4)
    model.weight("s", "depthwise_kernel", 3, 3, 3, 1, scale=2)
    model.weight("s", "pointwise_kernel", 1, 1, 3, 4, scale=2)
    model.weight("s", "bias", 4)
    model.pool("a", "Average", (3, 2))
    model.add("Flatten", "flat", data_format="channels_last")
    return model


def merge(random):
    model = Model("merge", [10], random)
    model.dense("fc1", 10, 6, "relu")
    model.last = "x"
    model.dense("fc2", 10, 6)
    model.add("Add", "sum", ["fc1", "fc2"])
    model.add("Multiply", "product", ["sum", "fc2"])
    model.add("Concatenate", "all", ["product", "fc1"], axis=-1)
    model.dense("fc3", 12, 5, "softmax")
    return model


CASES = {case.__name__: case for case in (mlp, softplus, conv2d, conv1d, depthwise, merge)}


def random_type(random, least=8, most=18):
    width = int(random.integers(least, most + 1))
    integers = int(random.integers(3, max(4, min(width - 2, 8))))
    rounding = ROUNDINGS[random.integers(len(ROUNDINGS))]
    overflow = OVERFLOWS[random.integers(len(OVERFLOWS))]
    return f"fixed<{width},{integers},{rounding},{overflow}>"


def configurations(model, random, rounds):
    """The defaults of hls4ml, wide and saturating accumulators, and random types of every layer."""
    yield "default", {"Model": {"Precision": "fixed<16,6>", "ReuseFactor": 1}}
    yield "saturating", {"Model": {"Precision": {"default": "fixed<12,5,RND,SAT>",
                                                 "accum": "fixed<14,6,RND,SAT>"}, "ReuseFactor": 1}}
    yield "auto", {"Model": {"Precision": "fixed<8,3>", "ReuseFactor": 1},
                   "LayerName": {layer["name"]: {"Precision": {
                       key: "auto" for key in ("weight", "bias", "accum", "result")}}
                       for layer in model.layers}}
    for number in range(rounds):
        names = {}
        for layer in model.layers:
            activation = layer["config"].get("activation", "linear")
            softmax = activation == "softmax"
            kind = layer["class_name"]
            weights = "scale" if kind == "BatchNormalization" else "weight"
            names[layer["name"]] = {"Precision": {
                key: random_type(random) for key in (weights, "bias", "accum", "result")}}
            if activation != "linear" and kind != "Activation":
                names[f"{layer['name']}_{activation}"] = {
                    "Precision": {"result": random_type(random), "accum": "fixed<20,10>"},
                    "table_size": int(2 ** random.integers(6, 12)),
                    "table_t": random_type(random),
                    **({"exp_table_t": random_type(random, 12), "inv_table_t": random_type(random, 12),
                        "inv_inp_t": random_type(random, 12),
                        "implementation": ("stable", "latency", "argmax")[number % 3]}
                       if softmax else {})}
        yield f"random{number}", {"Model": {"Precision": "fixed<16,6>", "ReuseFactor": 1},
                                  "LayerName": names}


def hls4ml_outputs(folder, config, x):
    settings = {"KerasJson": str(folder / "model.json"), "KerasH5": str(folder / "model_weights.h5"),
                "OutputDir": str(folder / "project"), "ProjectName": "peer", "Backend": "Vivado",
                "IOType": "io_parallel", "Part": "xcku115-flvb2104-2-i", "ClockPeriod": 5,
                "HLSConfig": json.loads(json.dumps(config))}
    with contextlib.redirect_stdout(io.StringIO()):
        model = keras_v2_to_hls(settings)
        model.compile()
        return np.asarray(model.predict(x), dtype=float).reshape(len(x), -1)


def millrace_outputs(millrace, folder, config, x):
    (folder / "config.yml").write_text(yaml.safe_dump(config))
    maps = x[:, None] if x.ndim == 3 else x  # one row of a map
    np.save(folder / "x.npy", maps)
    command = [millrace, "run", folder / "model.json", "--quantize", folder / "config.yml",
               "--accumulators", "hls4ml", "--input", folder / "x.npy", "--output", folder / "y.npy"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{folder.name}: {run.stderr}")
    return np.load(folder / "y.npy").reshape(len(x), -1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", default="build/dev/bin/millrace")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--rounds", type=int, default=3, help="random configurations of each model")
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for all files, instead of a temporary one")
    arguments = parser.parse_args()
    total = differing = 0
    for name in arguments.cases.split(","):
        random = np.random.default_rng([arguments.seed, *name.encode()])
        model = CASES[name](random)
        for label, config in configurations(model, random, arguments.rounds):
            x = random.uniform(-4, 4, (arguments.samples, *model.shape))
            with tempfile.TemporaryDirectory() as temporary:
                folder = (arguments.keep or Path(temporary)).absolute() / f"{name}-{label}"
                folder.mkdir(parents=True, exist_ok=True)
                model.write(folder)
                peer = hls4ml_outputs(folder, config, x)
                ours = millrace_outputs(Path(arguments.millrace).absolute(), folder, config, x)
            wrong = int(np.sum(peer != ours))
            total, differing = total + peer.size, differing + wrong
            print(f"{name:10} {label:11} {peer.size:6} outputs, {len(np.unique(peer)):5} distinct, "
                  f"{wrong} differ", flush=True)
    print(f"hls4ml {hls4ml.__version__}: {total} outputs, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
