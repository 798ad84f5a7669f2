#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures da4ml and alkaid on the matrices of bench/adders.

    millrace_adders_bench --write-matrices FOLDER
    bench/peers/adders.py FOLDER peers.json [--cases 16x16,9x8]
    millrace_adders_bench --peers peers.json

Needs the packages of bench/peers/requirements.txt. Each graph is multiplied out and compared with
its matrix; adders, bits and depth are counted here, from the graph, in the same way for all. One
thread; times are CPU times of this process.
"""
import argparse
import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy and the peers are loaded

import numpy as np
from alkaid._binary import cmvm_bin as alkaid
from da4ml._binary import cmvm_bin as da4ml

INPUT, ADD, SUBTRACT = -1, 0, 1  # the operations that both emit for a constant matrix
DA4ML_METHODS = ("mc", "mc-dc", "mc-pdc", "wmc", "wmc-dc", "wmc-pdc")
ALL_METHODS_MAX_ENTRIES = 2000  # six times da4ml's time
MAX_ENTRIES = 5000              # beyond, the peers run for hours


class Value(NamedTuple):
    """coefficients * inputs, in [lo, hi], a multiple of 2^exponent; all numbers are exact."""
    coefficients: np.ndarray
    lo: float
    hi: float
    exponent: int
    depth: int

    def scaled(self, shift, negate=False):
        factor = (-1.0 if negate else 1.0) * 2.0**shift
        lo, hi = sorted((self.lo * factor, self.hi * factor))
        return Value(self.coefficients * factor, lo, hi, self.exponent + shift, self.depth)


class Counts:
    """What a graph costs: the sums of bench/adders."""

    def __init__(self):
        self.adders = self.negations = self.bits = self.da4ml_bits = self.depth = 0

    def adder(self, a, b, subtract):
        self.adders += 1
        self.bits += chain_bits(a, b, subtract)
        self.da4ml_bits += chain_bits(a, b, subtract=False)
        b = b.scaled(0, negate=subtract)
        return Value(a.coefficients + b.coefficients, a.lo + b.lo, a.hi + b.hi,
                     min(a.exponent, b.exponent), max(a.depth, b.depth) + 1)


def top(value, signed):
    """The position above the highest bit."""
    lo, hi = (int(end / 2.0**value.exponent) for end in (value.lo, value.hi))
    magnitude = max(hi.bit_length() if hi > 0 else 0, (-lo - 1).bit_length() if lo < 0 else 0)
    return value.exponent + magnitude + (1 if signed else 0)


def chain_bits(a, b, subtract):
    """The same as adders::chain_bits() of millrace/adders/adder_graph.h."""
    signed = a.lo < 0 or b.lo < 0
    bottom = b.exponent if subtract else max(a.exponent, b.exponent)
    return max(1, max(top(a, signed), top(b, signed)) - bottom)


def operands(op):
    """First and second operand, or the input's number, and the shift of the second."""
    if hasattr(op, "addr"):  # alkaid
        return (*op.addr, op.data[0]) if op.opcode != INPUT else (op.data[0], None, 0)
    return op.id0, op.id1, op.data


def run_stage(stage, inputs, counts):
    """The outputs of one of the two matrices that the peers factor theirs into."""
    values = []
    for op in stage.ops:
        first, second, shift = operands(op)
        if op.opcode == INPUT:
            values.append(inputs[first].scaled(stage.inp_shifts[first]))
            continue
        if op.opcode not in (ADD, SUBTRACT):
            raise ValueError(f"unexpected operation {op}")
        values.append(counts.adder(values[first], values[second].scaled(shift),
                                   op.opcode == SUBTRACT))
    zero = Value(np.zeros(len(inputs[0].coefficients)), 0.0, 0.0, 0, 0)
    outputs = []
    for index, shift, negate in zip(stage.out_idxs, stage.out_shifts, stage.out_negs):
        counts.negations += bool(negate and index >= 0)
        outputs.append(values[index].scaled(shift, negate) if index >= 0 else zero)
    return outputs


def count(stages, matrix, lo, hi):
    """Counts a graph, and proves that it computes matrix * inputs."""
    columns = matrix.shape[1]
    values = [Value(row, float(lo), float(hi), 0, 0) for row in np.eye(columns)]
    counts = Counts()
    for stage in stages:
        values = run_stage(stage, values, counts)
    if not np.array_equal(np.stack([value.coefficients for value in values]), matrix):
        raise ValueError("a peer's graph is not its matrix")
    counts.depth = max(value.depth for value in values)
    return counts


def solve_da4ml(kernel, hard_dc, **options):
    return da4ml.solve(kernel, hard_dc=hard_dc, **options).solutions


def solve_da4ml_methods(kernel, hard_dc):
    """The best of da4ml's ways to weigh pairs; it has no such option itself."""
    tries = [solve_da4ml(kernel, hard_dc, method0=method) for method in DA4ML_METHODS]
    return min(tries, key=lambda stages: sum(op.opcode != INPUT for s in stages for op in s.ops))


def peers(entries):
    """Name and solver of all that are worth their time for a matrix of so many entries."""
    names = {name: f"{name} {version(name)}" for name in ("da4ml", "alkaid")}
    yield names["da4ml"], solve_da4ml
    yield names["da4ml"] + " single try", lambda kernel, hard_dc: solve_da4ml(
        kernel, hard_dc, search_all_decompose_dc=False)
    if entries <= ALL_METHODS_MAX_ENTRIES:
        yield names["da4ml"] + " best of 6 methods", solve_da4ml_methods
    yield names["alkaid"], lambda kernel, hard_dc: alkaid.cmvm_solve(kernel, hard_dc=hard_dc)


def measure(case, matrices, name, solve):
    lo, hi = case["input_range"]
    hard_dc = -1 if case["extra_depth"] is None else case["extra_depth"]
    seconds, all_counts = [], []
    for matrix in matrices:
        kernel = np.ascontiguousarray(matrix.T.astype(np.float32))  # the peers' rows are inputs
        begin = time.process_time()
        stages = solve(kernel, hard_dc)
        seconds.append(time.process_time() - begin)
        all_counts.append(count(stages, matrix, lo, hi))
    mean = {key: float(np.mean([getattr(counts, key) for counts in all_counts]))
            for key in ("adders", "negations", "bits", "da4ml_bits", "depth")}
    return {"case": case["case"], "by": name, "checksum": case["checksum"], **mean,
            "seconds": float(np.mean(seconds))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of millrace_adders_bench --write-matrices")
    parser.add_argument("output", type=Path, help="the JSON file to write")
    parser.add_argument("--cases", default="", help="only these, separated by commas")
    options = parser.parse_args()
    chosen = set(filter(None, options.cases.split(",")))
    lines = []
    for case in json.loads((options.folder / "cases.json").read_text()):
        if chosen and case["case"] not in chosen:
            continue
        matrices = [np.load(options.folder / file) for file in case["files"]]
        if matrices[0].size > MAX_ENTRIES:
            continue
        for name, solve in peers(matrices[0].size):
            lines.append(measure(case, matrices, name, solve))
            print(json.dumps(lines[-1]), file=sys.stderr)
    options.output.write_text(json.dumps({"lines": lines}, indent=2) + "\n")


if __name__ == "__main__":
    main()
