# SPDX-License-Identifier: GPL-2.0-only
"""The module under inputs that nobody would give it.

How long: MMLENS_FUZZ_SECONDS or MMLENS_FUZZ_CALLS, MMLENS_FUZZ_SEED and
MMLENS_FUZZ_THREADS; fuzz-long is only run where it's asked for, until five
million calls were made or MMLENS_FUZZ_SECONDS are over.
"""
import os
import re

import abuse
import lib
import machine
from lib import Failure, expect, note, test

COVERAGE = "MMLENS_FUZZ_COVERAGE"
QUERIES = ("vmas ptes vtop smaps numa_maps tables procs zones free pageblocks "
           "pages users lru info").split()


def fuzz(calls, seconds):
    """Lines of what it says."""
    arguments = ["--seed", abuse.number("MMLENS_FUZZ_SEED", 1),
                 "--threads", abuse.number("MMLENS_FUZZ_THREADS", 3),
                 "--calls", calls, "--seconds", seconds]
    if COVERAGE in os.environ:
        arguments += ["--coverage", os.environ[COVERAGE]]
    status, lines = abuse.program_says("fuzz", *arguments,
                                       timeout=seconds + 600)
    for line in lines:
        note(line)
    if status:
        raise Failure("; ".join(line for line in lines
                                if line.startswith(("failed", "input")))
                      or f"status {status}")
    return lines


def check_calls(lines):
    """Each query was asked, was answered, and was refused."""
    found = {name: results for name, results in
             (re.match(r"calls (\S+) \d+:(.*)", line).groups()
              for line in lines if line.startswith("calls "))}
    for name in QUERIES:
        expect(" ok " in found.get(name, ""), f"no answer: {name}")
        expect(" EINVAL " in found[name], f"no refusal: {name}")


@test()
def fuzz_short():
    """A few seconds of it: every query and file, right calls and wrong ones."""
    machine.quiet()
    machine.swap()
    with abuse.nothing_left():
        lines = fuzz(abuse.number("MMLENS_FUZZ_CALLS", 20000),
                     abuse.number("MMLENS_FUZZ_SECONDS", 60))
    check_calls(lines)


@test(asked_for=True)
def fuzz_long():
    machine.quiet()
    machine.swap()
    with abuse.nothing_left():
        check_calls(fuzz(abuse.number("MMLENS_FUZZ_CALLS", 5000000),
                         abuse.number("MMLENS_FUZZ_SECONDS", 900)))


@test()
def fuzz_is_the_same_again():
    """A seed means the same inputs: without what depends on the moment, one
    thread's calls have the same results."""
    def counts():
        status, lines = abuse.program_says(
            "fuzz", "--seed", 7, "--threads", 1, "--calls", 200, "--seconds",
            300, timeout=600)
        lib.same(status, 0, "status")
        return [re.match(r"calls (\S+ \d+)", line).group(1)
                for line in lines if line.startswith("calls ")]
    if os.path.exists("/sys/kernel/debug/kcov"):
        raise lib.Skip("what KCOV guides depends on what else runs")
    lib.same(counts(), counts(), "calls of the second run")
