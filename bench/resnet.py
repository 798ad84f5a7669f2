#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it takes to compile and simulate a residual network of 40,000 weights.

    cmake --preset release -DMILLRACE_BENCH=ON
    cmake --build build/release --target millrace millrace_bench_network
    bench/resnet.py [--lanes 1,2] [--network resnet]

CPU seconds and peak memory are those of `millrace compile` alone. Ends with exit code 1 when
something fails, and when an output or a cycle of the simulation differs.
"""
import argparse
import sys
import tempfile
from pathlib import Path

from millrace_runs import (FAILED, Measured, find_program, network, number, print_head, print_row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", default=find_program("millrace"), help="the program")
    parser.add_argument("--networks", default=find_program("millrace_bench_network"),
                        help="the program that makes the networks")
    parser.add_argument("--network", default="resnet", choices=("resnet", "mlp"))
    parser.add_argument("--lanes", default="1", help="separated by commas")
    parser.add_argument("--effort", type=int, default=1, help="of the search for adder graphs")
    parser.add_argument("--frames", type=int, default=2, help="simulated; 0 leaves it out")
    parser.add_argument("--synth", action="store_true", help="map with Yosys, too")
    parser.add_argument("--limit", type=int, default=7200, help="seconds of one run")
    options = parser.parse_args()
    failed = False
    print_head(["lanes", "latency, cycles", "interval, cycles", "compile, CPU s",
                "compile, MiB", "adders", "simulate, CPU s", "outputs that differ", "LUT", "FF"])
    with tempfile.TemporaryDirectory() as folder:
        model = network(options.networks, options.network, Path(folder) / "network.mr")
        for lanes in options.lanes.split(","):
            measured = Measured(options.millrace, model, Path(folder) / "build",
                                ["--lanes", lanes, "--effort", options.effort], options.limit)
            simulate_cpu_s = None
            if options.frames:
                measured.simulate("--data", "random", "--frames", options.frames)
                simulate_cpu_s = measured.cpu_s
            if options.synth:
                measured.synth()
            if measured.failure:
                failed = True
                print(f"{lanes} lanes: {measured.failure}", file=sys.stderr, flush=True)
            if not measured.plan:
                print_row([lanes, FAILED, *["–"] * 8])
                continue
            plan, cosim, area = measured.plan, measured.cosim or {}, measured.area or {}
            adders = sum(stage["sizes"].get("adders", 0) for stage in plan["stages"])
            print_row([lanes, number(plan["latency_cycles"]), number(plan["interval_cycles"]),
                       f"{measured.compile_cpu_s:.1f}", number(round(measured.compile_memory_mib)),
                       number(adders), "–" if simulate_cpu_s is None else f"{simulate_cpu_s:.0f}",
                       number(cosim.get("mismatches")), number(area.get("lut")),
                       number(area.get("ff"))])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
