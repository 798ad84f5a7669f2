#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs what `millrace convert` writes in ONNX Runtime, and compares with the graph that was written.

    bench/peers/converted.py --millrace build/dev/bin/millrace [--samples 1000] [MODEL...]

Writes a graph for every rounding and overflow with random types, one for each element, and tables,
converts each to ONNX, where these are functions of Millrace's own, and runs the file in ONNX Runtime,
which knows nothing of Millrace. MODEL: models that quantise by such functions alone (HGQ's). A
`Quant`, which ONNX Runtime does not have, is left out where it is the input's: what is fed in has
its type already. Needs the packages of bench/peers/requirements-scales.txt.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

ROUNDINGS = ("TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_MIN_INF", "RND_INF", "RND_CONV")
OVERFLOWS = ("WRAP", "SAT", "SAT_ZERO", "SAT_SYM")
SIZE = 32
INPUT_STEP = 2.0**-6


def common_type(kinds):
    """The narrowest type that holds every number of each (is signed, width, integer bits)."""
    fraction = max(width - integer for _, width, integer in kinds)
    low = high = 0
    for signed, width, integer in kinds:
        unit = 2 ** (fraction - (width - integer))
        low = min(low, -signed * 2 ** (width - 1) * unit)
        high = max(high, (2 ** (width - signed) - 1) * unit)
    signed = low < 0
    width = max(high.bit_length(), (-low - 1).bit_length() if signed else 1) + signed
    return signed, width, width - fraction


def text_of(kind):
    signed, width, integer = kind
    return f"{'fixed' if signed else 'ufixed'}<{width},{integer}>"


def quantiser(random, rounding, overflow):
    kinds = []
    for _ in range(SIZE):
        width = int(random.integers(2, 9))
        kinds.append((int(random.integers(2)), width, int(random.integers(width - 6, 5))))
    steps = ""
    if rounding == "RND_CONV" and overflow == "SAT":  # others are lowered for few types only
        steps = f", steps = [{', '.join(f'{s:.6g}' for s in random.uniform(0.2, 1.5, SIZE))}]"
    return (f"  %y = requantize %x {{rounding = {rounding}, overflow = {overflow}, types = "
            f"[{', '.join(map(text_of, kinds))}]{steps}}} : "
            f"tensor<{SIZE} x {text_of(common_type(kinds))}>\n")


def table(random):
    values = ", ".join(str(v) for v in random.integers(-32, 32, 64))
    return (f"  %c = requantize %x {{rounding = RND, overflow = WRAP}} : tensor<{SIZE} x fixed<6,3>>\n"
            f"  %y = table %c {{value = [{values}]}} : tensor<{SIZE} x fixed<6,2>>\n")


def graphs(random):
    head = f"  %x = input : tensor<{SIZE} x fixed<16,10>>\n"
    for rounding in ROUNDINGS:
        for overflow in OVERFLOWS:
            yield f"{rounding}_{overflow}", head + quantiser(random, rounding, overflow)
    yield "table", head + table(random)


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stderr}")


def without_quant(model):
    """The model with each Quant replaced by what it does to numbers of its type: nothing."""
    for node in model.graph.node:
        if node.op_type == "Quant":
            node.op_type, node.domain = "Identity", ""
            del node.input[1:], node.attribute[:]
    return model


def differing(millrace, model, inputs, folder):
    """How many outputs of ONNX Runtime are not those of `millrace run`."""
    converted = folder / "converted.onnx"
    run(millrace, "convert", model, "-o", converted)
    quiet = ort.SessionOptions()
    quiet.log_severity_level = 3
    session = ort.InferenceSession(without_quant(onnx.load(converted)).SerializeToString(), quiet)
    port = session.get_inputs()[0]
    different = 0
    np.save(folder / "x.npy", inputs)
    run(millrace, "run", model, "--input", folder / "x.npy", "--output", folder / "y.npy")
    for x, y in zip(inputs, np.load(folder / "y.npy").reshape(len(inputs), -1)):
        if x.ndim == 3:  # height, width, channels; ONNX has the channels first
            x = x.transpose(2, 0, 1)
        result = session.run(None, {port.name: x.astype(np.float32)[np.newaxis]})[0]
        different += int(np.sum(result.reshape(-1).astype(float) != y))
    return different, y.size * len(inputs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", type=Path, required=True, help="the program")
    parser.add_argument("--samples", type=int, default=1000, help="random inputs of each model")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    total = compared = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def compare(title, model, inputs):
            nonlocal total, compared
            different, count = differing(options.millrace.resolve(), model, inputs, folder)
            print(f"{title:24} {count:9,} outputs {different:6,} differ", flush=True)
            total, compared = total + different, compared + count

        for title, text in graphs(random):
            model = folder / "graph.mr"
            model.write_text(f"graph @g {{\n{text}  output %y\n}}\n")
            codes = random.integers(-2**11, 2**11, (options.samples, SIZE))
            compare(title, model, codes * INPUT_STEP)
        for model in options.models:
            shape = [options.samples, *model_shape(options.millrace, model)]
            compare(model.stem, model, random.uniform(-1, 3, shape).astype(np.float32).astype(float))
    print(f"{compared:,} outputs, {total:,} differ")
    return 1 if total or not compared else 0


def model_shape(millrace, model):
    """The extents of a model's input."""
    text = subprocess.run([str(millrace), "inspect", str(model)], capture_output=True, text=True).stdout
    for line in text.splitlines():
        words = line.split()
        if len(words) > 2 and words[1] == "input":
            return [int(extent) for extent in words[2].split("x")]
    sys.exit(f"{model}: no input found")


if __name__ == "__main__":
    sys.exit(main())
