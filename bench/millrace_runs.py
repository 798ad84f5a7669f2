# SPDX-License-Identifier: Apache-2.0
"""Runs of the program millrace for the other scripts: their records, CPU time and memory."""
import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FAILED = "FAILED"


class RunFailed(Exception):
    """What the program said last."""


def find_program(name, folders=("bin", "bench")):
    """The program of the release build, else of another one, else what the shell finds."""
    for build in ("release", "dev"):
        for folder in folders:
            program = PROJECT / "build" / build / folder / name
            if program.exists():
                return str(program)
    return name


def run(command, limit_s=None):
    """Standard output, CPU seconds, and peak memory in MiB of the command and what it starts.

    The memory is that of its largest process. Raises RunFailed when it fails or takes too long.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=errors,
                                   process_group=0)
        timed_out = False

        def stop(*_):
            nonlocal timed_out
            timed_out = True
            os.killpg(process.pid, signal.SIGTERM)

        signal.signal(signal.SIGALRM, stop)
        signal.alarm(limit_s or 0)
        _, status, usage = os.wait4(process.pid, 0)
        signal.alarm(0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if timed_out:
            raise RunFailed(f"not done after {limit_s} s")
        if process.returncode != 0:
            raise RunFailed(errors.read().strip()[-600:])
        return output.read(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Measured:
    """One network at some lanes: what is found out about it, and what fails."""

    def __init__(self, millrace, model, build, compile_options, limit_s):
        self.millrace, self.model, self.build, self.limit_s = millrace, model, build, limit_s
        self.failure = None
        self.plan = self.cosim = self.area = None
        self.cpu_s = self.memory_mib = None
        self._compile(compile_options)

    def _step(self, command, *arguments):
        if self.failure:
            return None
        try:
            output, self.cpu_s, self.memory_mib = run(
                [self.millrace, command, *arguments, "--json"], self.limit_s)
            return json.loads(output)
        except RunFailed as failure:
            self.failure = f"{command}: {failure}"
            return None

    def _compile(self, options):
        self.plan = self._step("compile", self.model, "-o", self.build, *options)
        self.compile_cpu_s, self.compile_memory_mib = self.cpu_s, self.memory_mib

    def simulate(self, *options):
        """Compares every output with the reference and every cycle with the schedule."""
        self.cosim = self._step("simulate", self.build, *options)
        if not self.failure and not (
                self.cosim["mismatches"] == 0
                and self.cosim["latency_cycles"] == self.plan["latency_cycles"]
                and self.cosim["interval_cycles"] == self.plan["interval_cycles"]):
            self.failure = f"simulate: {json.dumps(self.cosim)}"

    def synth(self):
        self.area = self._step("synth", self.build)


def number(value):
    """Digits in groups, as documents have them; a dash for what was not measured."""
    return "–" if value is None else f"{value:,}"


def print_head(columns):
    """The head of a table as documents have it: the first column's text, the others' numbers."""
    print(f"| {' | '.join(columns)} |")
    print(f"|---|{'--:|' * (len(columns) - 1)}", flush=True)


def print_row(cells):
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def network(program, name, path, *options):
    """Writes a network of millrace_bench_network."""
    Path(path).write_text(run([program, name, *options])[0])
    return path
