#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Maps adder graphs with Yosys: LUTs of ours, of da4ml's, and of the plain product y = W * x.

    millrace_adders_bench --write-matrices FOLDER
    bench/adders_area.py FOLDER --millrace build/release/bin/millrace [--cases 9x8,72x8]

Takes the first matrix of each case; all circuits are combinational and go through the same
commands, without DSP blocks. The column "LUT kept" is what the graphs take when Yosys maps each
adder to a carry chain instead of merging some (adders_area_keep.v). Needs Yosys and the packages of bench/peers/requirements.txt.
"""
import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from da4ml.codegen import RTLModel
from da4ml.trace import FixedVariableArrayInput, comb_trace

CASES = ("9x8", "72x8", "16x16", "72x16", "64x64")
LUT = re.compile(r"LUT[1-6](_2)?|INV")       # one each, as `millrace synth` counts
FREE = re.compile(r"MUXF[789]|GND|VCC|CARRY[48]")
ROW = "{:<8} {:<20} {:>7} {:>7} {:>9} {:>9} {:>9} {:>9} {:>12}"
KEEP_ADDERS = Path(__file__).resolve().parent / "adders_area_keep.v"
SHIFT_ADDERS = (0, 1)  # da4ml's operations


def yosys(sources, top, folder, limit_s, keep_adders=False):
    """Number of LUTs, None when the time does not suffice; and CPU seconds."""
    report = folder / "stat.json"
    command = f"synth_xilinx -family xcu -flatten -noiopad -noclkbuf -nodsp -top {top}"
    script = f"read_verilog -sv {' '.join(map(str, sources))}\n"
    if keep_adders:
        script += (f"{command} -run begin:coarse\nopt -full\nwreduce\nopt_clean\n"
                   f"techmap -map {KEEP_ADDERS}\n{command} -run coarse:\n")
    else:
        script += command + "\n"
    script += f"tee -q -o {report} stat -json\n"
    (folder / "map.ys").write_text(script)

    def limit_cpu():
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))

    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(["yosys", "-q", "-s", folder / "map.ys"], preexec_fn=limit_cpu,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime
    if run.returncode != 0:
        if seconds >= 0.95 * limit_s:
            return None, seconds
        raise RuntimeError(f"Yosys: {run.stdout[-2000:]}")
    return count_luts(json.loads(report.read_text())["design"]["num_cells_by_type"]), seconds


def count_luts(cells):
    unknown = [cell for cell in cells if not LUT.fullmatch(cell) and not FREE.fullmatch(cell)]
    if unknown:
        raise ValueError(f"cells of unknown cost: {unknown}")
    return sum(number for cell, number in cells.items() if LUT.fullmatch(cell))


def ours(program, case, file, effort, folder):
    """Our circuit, its record, and the name of its module."""
    command = [program, "adders", file, "--effort", str(effort), "--verilog", folder / "ours.sv",
               "--input-range", ",".join(map(str, case["input_range"])), "--json"]
    if case["extra_depth"] is not None:
        command += ["--extra-depth", str(case["extra_depth"])]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    record = json.loads(run.stdout)
    return [folder / "ours.sv"], record["module"], record


def da4ml(matrix, folder):
    """da4ml's circuit by its usual way, its module and its number of adders."""
    inputs = FixedVariableArrayInput(matrix.shape[1])
    outputs = inputs.quantize(1, 7, 0) @ matrix.T.astype(np.float32)
    circuit = comb_trace(inputs, outputs)
    RTLModel(circuit, "peer", folder / "peer").write()
    sources = folder / "peer" / "src"
    adders = sum(op.opcode in SHIFT_ADDERS for op in circuit.ops)
    modules = [sources / "static" / name for name in ("shift_adder.v", "negative.v")]
    return [sources / "peer.v", *modules], "peer", adders


def behavioural(matrix, output_bits, folder):
    """y = W * x, constants times signed inputs, added up."""
    rows, columns = matrix.shape
    lines = [f"module plain (input wire [{8 * columns - 1}:0] in_data_i,",
             f"  output wire [{sum(output_bits) - 1}:0] out_data_o);"]
    lines += [f"wire signed [7:0] x{i} = in_data_i[{8 * i} +: 8];" for i in range(columns)]
    low = 0
    for row in range(rows):
        terms = [f"({'-' if w < 0 else ''}32'sd{abs(w)}) * x{i}"
                 for i, w in enumerate(map(int, matrix[row])) if w]
        width = output_bits[row]
        lines.append(f"wire signed [{width - 1}:0] y{row} = {' + '.join(terms) or '0'};")
        lines.append(f"assign out_data_o[{low} +: {width}] = y{row};")
        low += width
    (folder / "plain.sv").write_text("\n".join([*lines, "endmodule", ""]))
    return [folder / "plain.sv"], "plain"


def measure(case, options, folder):
    """The circuits of one case, one row of the table each."""
    file = options.folder / case["files"][0]
    matrix = np.load(file)
    sources, top, record = ours(options.millrace, case, file, options.effort, folder)
    our_name = f"millrace, effort {options.effort}"
    circuits = [(our_name, sources, top, record["adders"], record["cost_bits"])]
    if case["extra_depth"] is None:
        sources, top, adders = da4ml(matrix, folder)
        circuits.append(("da4ml", sources, top, adders, None))
    if not options.skip_product:
        plain = behavioural(matrix, record["output_bits"], folder)
        circuits.append(("y = W * x", *plain, None, None))
    our_luts = None
    for by, sources, top, adders, bits in circuits:
        luts, seconds = yosys(sources, top, folder, options.limit)
        kept = yosys(sources, top, folder, options.limit, keep_adders=True)[0] if adders else None
        our_luts = luts if by == our_name else our_luts
        yield {"case": case["case"], "by": by, "adders": adders, "cost_bits": bits, "lut": luts,
               "lut_per_bit": luts / bits if luts and bits else None,
               "lut_to_ours": luts / our_luts if luts and our_luts else None,
               "lut_adders_kept": kept, "yosys_seconds": seconds}


def print_row(row):
    def cell(key, form="{:,}"):
        return form.format(row[key]) if row[key] is not None else "-"

    print(ROW.format(row["case"], row["by"], cell("adders"), cell("cost_bits"), cell("lut"),
                     cell("lut_per_bit", "{:.3f}"), cell("lut_to_ours", "{:.2f}"),
                     cell("lut_adders_kept"), cell("yosys_seconds", "{:.0f}")), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of millrace_adders_bench --write-matrices")
    parser.add_argument("--millrace", default="millrace", help="the program")
    parser.add_argument("--cases", default=",".join(CASES), help="separated by commas")
    parser.add_argument("--effort", type=int, default=3)
    parser.add_argument("--limit", type=int, default=600, help="CPU seconds of one Yosys run")
    parser.add_argument("--skip-product", action="store_true",
                        help="leave y = W * x out, which takes Yosys longest")
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    options = parser.parse_args()
    chosen = options.cases.split(",")
    cases = {case["case"]: case
             for case in json.loads((options.folder / "cases.json").read_text())}
    if missing := [name for name in chosen if name not in cases]:
        sys.exit(f"{options.folder} has no case {missing}")
    print(ROW.format("case", "circuit", "adders", "bits", "LUT", "LUT/bit", "to ours",
                     "LUT kept", "Yosys CPU s"))
    rows = []
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            for row in measure(cases[name], options, Path(folder)):
                rows.append(row)
                print_row(row)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
