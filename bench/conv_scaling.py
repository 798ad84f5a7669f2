#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How convolutions scale with the size and the channels of their input, beside published figures.

    cmake --preset release -DMILLRACE_BENCH=ON
    cmake --build build/release --target millrace millrace_bench_network
    bench/conv_scaling.py [--sizes 10:50] [--channels 1:64:9] [--synth] [--simulate 10:50:8]

First (n, n, 1) with 8 filters of 3x3 and numbers of 9 bits, at 1 lane and at n lanes; high-level
synthesis estimates 2 n^2 + 7 cycles. Then (30, 30, n) through the convolution and through a
depthwise separable one. Cycles are from the first beat in to the last beat out, as scheduled; a
check mark says that the circuit was simulated: the cycles and every output of two random frames
are the same. Areas with a ~ are the plan's estimates, others are mapped. Ends with exit code 1 when
something fails or a target is missed.
"""
import argparse
import sys
import tempfile
from pathlib import Path

from millrace_runs import (FAILED, Measured, find_program, network, number, print_head, print_row)


def numbers(text):
    """"10:50", "1:64:9" (every ninth, and the last), "10,20"."""
    if ":" not in text:
        return [int(word) for word in text.split(",")] if text != "none" else []
    first, last, *step = map(int, text.split(":"))
    chosen = list(range(first, last + 1, *step))
    return chosen if chosen[-1] == last else [*chosen, last]


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.failures = []

    def measure(self, name, size, channels, lanes, n):
        model = network(self.options.networks, name, self.folder / "network.mr", "--size", size,
                        "--channels", channels, "--filters", 8)
        measured = Measured(self.options.millrace, model, self.folder / "build",
                            ["--lanes", lanes], self.options.limit)
        if n in self.options.simulate:
            measured.simulate("--data", "random", "--frames", 2)
        if self.options.synth and n in self.options.synth_only:
            measured.synth()
        if measured.failure:
            self.fail(f"{name} --size {size} --channels {channels}, {lanes} lanes: "
                      f"{measured.failure}")
        return measured

    def fail(self, text):
        self.failures.append(text)
        print(text, file=sys.stderr, flush=True)

    @staticmethod
    def cycles(measured):
        if measured.plan is None:
            return FAILED
        mark = " ✓" if measured.cosim and not measured.failure else ""
        return number(measured.plan["latency_cycles"]) + mark

    @staticmethod
    def area(measured):
        """Mapped, or with a ~ as the plan estimates it."""
        mark, area = ("", measured.area) if measured.area else (
            "~", (measured.plan or {}).get("estimated", {}))
        return [mark + number(area[key]) if key in area else FAILED
                for key in ("lut", "ff", "dsp")]

    @staticmethod
    def area_columns(*prefixes):
        return [f"{prefix} {key}".strip() for prefix in prefixes for key in ("LUT", "FF", "DSP")]

    def sizes(self):
        print_head(["n", "published 2n² + 7", "1 lane", "target n² + 20", "n lanes",
                    "target n + 20", "CPU s", *self.area_columns("1 lane", "n lanes")])
        for n in self.options.sizes:
            one = self.measure("conv2d", n, 1, 1, n)
            row = self.measure("conv2d", n, 1, n, n)
            for measured, target in ((one, n * n + 20), (row, n + 20)):
                if measured.plan and measured.plan["latency_cycles"] > target:
                    self.fail(f"conv2d --size {n}: {measured.plan['latency_cycles']} cycles, "
                              f"target {target}")
            print_row([n, number(2 * n * n + 7), self.cycles(one), number(n * n + 20),
                       self.cycles(row), n + 20,
                       f"{one.compile_cpu_s or 0:.1f} + {row.compile_cpu_s or 0:.1f}",
                       *self.area(one), *self.area(row)])

    def channels(self):
        print_head(["n", "convolution", "separable", "CPU s",
                    *self.area_columns("convolution", "separable")])
        for n in self.options.channels:
            whole = self.measure("conv2d", 30, n, self.options.lanes, n)
            parted = self.measure("separable", 30, n, self.options.lanes, n)
            print_row([n, self.cycles(whole), self.cycles(parted),
                       f"{whole.compile_cpu_s or 0:.1f} + {parted.compile_cpu_s or 0:.1f}",
                       *self.area(whole), *self.area(parted)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", default=find_program("millrace"), help="the program")
    parser.add_argument("--networks", default=find_program("millrace_bench_network"),
                        help="the program that makes the networks")
    parser.add_argument("--sizes", type=numbers, default="10:50", metavar="FIRST:LAST[:STEP]",
                        help="n of (n, n, 1); none leaves the table out")
    parser.add_argument("--channels", type=numbers, default="1:64", metavar="FIRST:LAST[:STEP]",
                        help="n of (30, 30, n); none leaves the table out")
    parser.add_argument("--lanes", type=int, default=1, help="of (30, 30, n)")
    parser.add_argument("--simulate", type=numbers, default="1:64", metavar="FIRST:LAST[:STEP]",
                        help="the n whose circuits are simulated")
    parser.add_argument("--synth", action="store_true", help="map with Yosys, too")
    parser.add_argument("--synth-only", type=numbers, default="1:64", metavar="FIRST:LAST[:STEP]",
                        help="the n whose circuits are mapped")
    parser.add_argument("--limit", type=int, default=3600, help="seconds of one run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, Path(folder))
        if options.sizes:
            bench.sizes()
            print()
        if options.channels:
            bench.channels()
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
