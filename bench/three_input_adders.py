#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LUTs and flip-flops with --adders two-input and three-input, by Yosys.

    millrace_adders_bench --write-matrices FOLDER
    bench/three_input_adders.py FOLDER --millrace build/release/bin/millrace

Takes the first matrix of each case, pipelined to each clock, and the letter network of tests/text.
"kept" is what two-input adders take when Yosys maps each to a carry chain of its own
(adders_area_keep.v) instead of merging some. Needs Yosys.
"""
import argparse
import json
import re
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
LUT = re.compile(r"LUT[1-6](_2)?|INV|SRL.*")  # one each, as `millrace synth` counts
FF = re.compile(r"FD[RSCP]E")
FREE = re.compile(r"MUXF[789]|GND|VCC|CARRY[48]")
ROW = "{:<11} {:>6} {:<7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9}"


def run(command):
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return done.stdout


def yosys(source, top, folder, keep_adders):
    """LUTs and flip-flops of a pipelined product."""
    command = f"synth_xilinx -family xcu -flatten -noiopad -noclkbuf -nodsp -top {top}"
    script = f"read_verilog -sv -I{SOURCE}/rtl {SOURCE}/rtl/mr_add3.sv {source}\n"
    if keep_adders:
        script += (f"{command} -run begin:coarse\nopt -full\nwreduce\nopt_clean\n"
                   f"techmap -map {SOURCE}/bench/adders_area_keep.v\n{command} -run coarse:\n")
    else:
        script += command + "\n"
    script += f"tee -q -o {folder}/stat.json stat -json\n"
    (folder / "map.ys").write_text(script)
    run(["yosys", "-q", "-s", folder / "map.ys"])
    cells = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
    unknown = [cell for cell in cells if not any(kind.fullmatch(cell) for kind in (LUT, FF, FREE))]
    if unknown:
        raise ValueError(f"cells of unknown cost: {unknown}")
    return [sum(number for cell, number in cells.items() if kind.fullmatch(cell))
            for kind in (LUT, FF)]


def print_row(name, clock, option, adders, fused, cycles, lut, kept, ff, ratio):
    print(ROW.format(name, clock, option.removesuffix("-input"), adders, fused, cycles, lut, kept,
                     ff, ratio), flush=True)


def measure_matrix(options, case, clock, folder):
    before = None
    for option in ("two-input", "three-input"):
        source = folder / "product.sv"
        record = json.loads(run([options.millrace, "adders",
                                 options.folder / case["files"][0], "--clock", clock, "--input-range",
                                 ",".join(map(str, case["input_range"])), "--effort",
                                 options.effort, "--verilog", source, "--json", "--adders", option]))
        lut, ff = yosys(source, record["module"], folder, False)
        kept, _ = yosys(source, record["module"], folder, True)
        before = before or kept
        print_row(case["case"], clock, option, record["adders"], record["three_input_adders"],
                  record["latency_cycles"], lut, kept, ff, f"{kept / before:.3f}")


def measure_letters(options, lanes, clock, folder):
    before = None
    for option in ("two-input", "three-input"):
        build = folder / "build"
        plan = json.loads(run([options.millrace, "compile", SOURCE / "tests/text/letters.mr",
                               "--lanes", lanes, "--clock", clock, "-o", build, "--json", "--adders", option]))
        area = json.loads(run([options.millrace, "synth", build, "--json"]))
        sizes = [stage["sizes"] for stage in plan["stages"] if "adders" in stage["sizes"]]
        before = before or area["lut"]
        fused = sum(size["three_input_adders"] for size in sizes)
        print_row(f"letters x{lanes}", clock, option, sum(size["adders"] for size in sizes) + fused,
                  fused,
                  plan["latency_cycles"], area["lut"], "-", area["ff"],
                  f"{area['lut'] / before:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of millrace_adders_bench --write-matrices")
    parser.add_argument("--millrace", default="millrace", help="the program")
    parser.add_argument("--cases", default="16x16,72x8,72x16", help="separated by commas")
    parser.add_argument("--clocks", default="5ns,3.3ns,2.5ns", help="separated by commas")
    parser.add_argument("--lanes", default="1,28", help="of the letter network; empty: leave it out")
    parser.add_argument("--effort", type=int, default=1)
    options = parser.parse_args()
    cases = {case["case"]: case
             for case in json.loads((options.folder / "cases.json").read_text())}
    print(ROW.format("case", "clock", "adders", "adders", "fused", "cycles", "LUT", "kept", "FF",
                     "LUT ratio"))
    with tempfile.TemporaryDirectory() as folder:
        for clock in options.clocks.split(","):
            for name in filter(None, options.cases.split(",")):
                measure_matrix(options, cases[name], clock, Path(folder))
            for lanes in filter(None, options.lanes.split(",")):
                measure_letters(options, lanes, clock, Path(folder))


if __name__ == "__main__":
    main()
