#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the letter network with several seeds and tabulates the AUC on the test images.

    bench/train_auc.py [--trainer PROGRAM] [--seeds 5] [--jobs 1] [--only glyphs]

The real images are read from the folder `shared/data` beside the project; sets that are absent are
left out. The last line of each set is the median over the seeds, with the target it must hold.
Ends with exit code 1 when a target is missed.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT.parent / "shared" / "data"

# name, request, least float AUC, the most that 9 bits may lose against it, least AUC at 9 bits
SETS = [
    ("emnist", {"data": str(DATA / "emnist-letters-subset"), "signal": "I", "background": "L"},
     0.885, 0.01, 0.0),
    ("hasy", {"data": str(DATA / "hasy-gamma-perp")}, 0.995, 1.0, 0.995),
    ("glyphs", {"data": "glyphs"}, 0.0, 0.01, 0.0),
]
QUANTIZERS = ["fixed<9,5>", "quantized_bits(8,4)"]


def find_trainer():
    for build in ("release", "dev"):
        program = PROJECT / "build" / build / "bin" / "millrace-train"
        if program.exists():
            return str(program)
    return "millrace-train"


def train(trainer, request):
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    with tempfile.TemporaryDirectory() as folder:
        request = dict(request, output=os.path.join(folder, "network.onnx"))
        process = subprocess.run([trainer, json.dumps(request)], env=environment,
                                 stdout=subprocess.PIPE, text=True, check=False)
    last = json.loads(process.stdout.splitlines()[-1])
    if last["event"] != "result":
        sys.exit(f"{request}: {last}")
    return last


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trainer", default=find_trainer())
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--only", help="one of the sets: emnist, hasy, glyphs")
    arguments = parser.parse_args()

    missed = False
    print(f"{'set':8} {'quantiser':20} {'seed':>6} {'float AUC':>10} {'AUC':>8} "
          f"{'accuracy':>9} {'epochs':>7} {'seconds':>8}")
    for name, request, least_float, most_lost, least in SETS:
        if arguments.only not in (None, name):
            continue
        if name != "glyphs" and not Path(request["data"]).is_dir():
            print(f"{name:8} (absent)")
            continue
        for quantizer in QUANTIZERS:
            requests = [dict(request, quantizer=quantizer, seed=seed)
                        for seed in range(1, arguments.seeds + 1)]
            results = []
            with ThreadPoolExecutor(arguments.jobs) as pool:
                for result in pool.map(lambda r: train(arguments.trainer, r), requests):
                    results.append(result)
                    print(f"{name:8} {quantizer:20} {result['seed']:6} "
                          f"{result['float_auc']:10.4f} {result['auc']:8.4f} "
                          f"{result['accuracy']:9.4f} {result['epochs']:7} "
                          f"{result['seconds']:8.1f}", flush=True)
            float_auc, auc, accuracy, seconds = (
                statistics.median(result[key] for result in results)
                for key in ("float_auc", "auc", "accuracy", "seconds"))
            verdict = ""
            if quantizer == QUANTIZERS[0]:
                holds = (float_auc >= least_float and auc >= float_auc - most_lost
                         and auc >= least)
                missed = missed or not holds
                verdict = "  holds" if holds else "  MISSED"
            print(f"{name:8} {quantizer:20} median {float_auc:10.4f} {auc:8.4f} "
                  f"{accuracy:9.4f} {'':7} {seconds:8.1f}{verdict}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
