#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The area that plan.json predicts beside what Yosys counts, over many small networks.

    cmake --preset release -DMILLRACE_BENCH=ON
    cmake --build build/release --target millrace millrace_bench_network
    bench/area_prediction.py [--only NAME ...] [--folder DIR]

Both figures are of the core without its AXI4-Stream wrapper. Ends with exit code 1 when something
fails, and when a figure is off by more than 10 % or a prediction of DSPs or block memory is not
exact. --only takes the beginnings of the networks' names; --folder keeps the build directories, in
one folder a network. Needs Yosys; takes about 20 minutes.
"""
import argparse
import sys
import tempfile
from pathlib import Path

from millrace_runs import (FAILED, PROJECT, Measured, find_program, network, number, print_head,
                           print_row)
from small_networks import Network

TOLERANCE = 0.10


def drawn_networks():
    """Each network with its lanes."""
    yield Network("mlp_small", 1, [8]).dense(6).act().dense(2), "1"
    yield Network("mlp_signed", 11, [10], 8).dense(8).quantise(8, 4, "RND", True).dense(
        3).quantise(8, 4, "RND", True), "1"
    yield Network("mlp_deep", 13, [8], 6).dense(8).act().dense(8).act().dense(2), "1"
    yield Network("conv", 2, [8, 8, 1]).conv(2).act(), "1", "4", "8", "2x8"
    yield Network("conv_padded", 3, [6, 6, 2], 6).conv(2, pad=1).act(), "1", "3", "2x6"
    yield Network("conv_5x5", 8, [10, 10, 1], 4).conv(2, 5).act(), "1", "5"
    yield Network("pointwise", 10, [6, 6, 6], 6).conv(6, 1).act(), "2"
    yield Network("two_convs", 12, [10, 10, 1], 6).conv(2).act().conv(2).act(), "1", "2"
    yield Network("conv_pool", 6, [10, 10, 1]).conv(2).act().max_pool(), "1", "2"
    yield Network("max_pool", 5, [8, 8, 3], 6).max_pool(), "2", "2x8"
    yield Network("avg_pool", 14, [8, 8, 4], 6).conv(4, 1).act().avg_pool(), "1"
    yield Network("conv_dense", 9, [8, 8, 1]).conv(2).act().dense(4), "1", "2"
    yield Network("strided", 15, [12, 12, 2], 6).conv(4, stride=2).act().conv(8, stride=2).act(), "1"
    yield Network("residual", 7, [6, 6, 2], 4).residual().conv(2, 1).act(), "1", "2"
    yield Network("concat", 16, [6, 6, 3], 5).concat(2).conv(3, 1).act(), "1"
    yield Network("upsample", 17, [6, 6, 2], 5).upsample().conv(2).act(), "2"
    yield Network("conv_transposed", 18, [5, 5, 3], 5).conv_transposed(2).act(), "1"
    yield Network("transpose", 19, [6, 8, 2], 6).transpose().conv(2).act(), "1", "2"


def cases(options, folder):
    """Titles, models and lanes."""
    for drawn, *lanes in drawn_networks():
        model = folder / f"{drawn.name}.mr"
        model.write_text(drawn.text())
        for n in lanes:
            yield drawn.name, model, n
    for name in ("letters", "convolutions"):
        for n in ("1", "4", "7"):
            yield name, PROJECT / f"tests/text/{name}.mr", n
    for name, lanes, *words in (("conv2d", "1", "--size", 10, "--filters", 4),
                                ("separable", "1", "--size", 8, "--channels", 3, "--filters", 4),
                                ("separable", "4", "--size", 8, "--channels", 2, "--filters", 4)):
        model = network(options.networks, name, folder / f"{name}_{lanes}.mr", *words)
        yield name, model, lanes


def error(predicted, counted):
    return abs(predicted - counted) / counted if counted else float(predicted != 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", default=find_program("millrace"), help="the program")
    parser.add_argument("--networks", default=find_program("millrace_bench_network"),
                        help="the program that prints networks")
    parser.add_argument("--only", nargs="*", default=[], help="beginnings of names")
    parser.add_argument("--folder", type=Path, help="where to leave what was built")
    parser.add_argument("--limit", type=int, default=300, help="seconds of one run")
    options = parser.parse_args()
    print_head(["network", "lanes", "LUT predicted", "Yosys", "error", "FF predicted", "Yosys",
                "error"])
    measured_networks = good = 0
    failures = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, model, lanes in cases(options, folder):
            if options.only and not any(f"{name} {lanes}".startswith(word)
                                        for word in options.only):
                continue
            measured_networks += 1
            measured = Measured(options.millrace, model, folder / f"{name}_{lanes}",
                                ["--lanes", lanes], options.limit)
            measured.synth()
            if measured.failure:
                failures.append(f"{name}, {lanes} lanes: {measured.failure}")
                print_row([name, lanes, FAILED])
                continue
            predicted, counted = measured.plan["estimated"], measured.area
            row = [name, lanes]
            for unit in ("lut", "ff"):
                off = predicted[unit] - counted[unit]
                row += [number(predicted[unit]), number(counted[unit]),
                        f"{100 * off / counted[unit]:+.1f} %" if counted[unit] else off]
            print_row(row)
            errors = [error(predicted[unit], counted[unit]) for unit in ("lut", "ff")]
            exact = all(predicted[unit] == counted[unit] for unit in ("dsp", "bram18"))
            if max(errors) <= TOLERANCE and exact:
                good += 1
            else:
                failures.append(f"{name}, {lanes} lanes: predicted {predicted}, Yosys "
                                f"{ {unit: counted[unit] for unit in predicted} }")
    print(f"\nWithin {TOLERANCE:.0%}: {good} of {measured_networks} networks.")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
