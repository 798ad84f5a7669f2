#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A trained network at several lanes: cycles, area, and every test image through the circuit.

    bench/letters.py --model letters.onnx --lanes 1,4,14,28 --data DIR --signal I --background L
        [-- options of `millrace compile`]

Ends with exit code 1 when something fails, and when an output or a cycle of the simulation differs.
"""
import argparse
import sys
import tempfile
from pathlib import Path

from millrace_runs import FAILED, Measured, find_program, number, print_head, print_row


def simulation_options(options):
    words = ["--frames", options.frames]
    for name in ("data", "signal", "background"):
        if value := getattr(options, name):
            words += [f"--{name}", value]
    return words


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millrace", default=find_program("millrace"), help="the program")
    parser.add_argument("--model", type=Path, required=True, help="ONNX (QONNX) or .mr")
    parser.add_argument("--lanes", default="1,4,14,28", help="separated by commas")
    parser.add_argument("--data", help="as `millrace simulate` takes it")
    parser.add_argument("--signal")
    parser.add_argument("--background")
    parser.add_argument("--frames", type=int, default=0, help="simulated; 0 is every test image")
    parser.add_argument("--skip-synth", action="store_true", help="leave Yosys out")
    parser.add_argument("--limit", type=int, default=7200, help="seconds of one run")
    parser.add_argument("compile", nargs="*", metavar="OPTION",
                        help="behind --: options of `millrace compile`")
    options = parser.parse_args()
    failed = False
    print_head(["lanes", "latency, cycles", "latency, ns", "interval, cycles", "LUT", "FF", "DSP",
                "BRAM18", "images", "outputs that differ", "compile, CPU s"])
    for lanes in options.lanes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            measured = Measured(options.millrace, options.model, Path(folder) / "build",
                                ["--lanes", lanes, *options.compile], options.limit)
            measured.simulate(*simulation_options(options))
            if not options.skip_synth:
                measured.synth()
        if measured.failure:
            failed = True
            print(f"{lanes} lanes: {measured.failure}", file=sys.stderr, flush=True)
        if not measured.plan:
            print_row([lanes, FAILED, *["–"] * 9])
            continue
        plan, cosim, area = measured.plan, measured.cosim or {}, measured.area or {}
        print_row([lanes, number(plan["latency_cycles"]), f"{plan['latency_ns']:,.0f}",
                   number(plan["interval_cycles"]),
                   *(number(area.get(key)) for key in ("lut", "ff", "dsp", "bram18")),
                   number(cosim.get("frames")), number(cosim.get("mismatches")),
                   f"{measured.compile_cpu_s:.1f}"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
