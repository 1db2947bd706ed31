# SPDX-License-Identifier: GPL-2.0-only
"""Processes that change while they are walked, looked at with the reader.

The same without the reader, record by record, are the cases of
bin/ioctl's change.c.
"""
import subprocess
import time

import lib
import machine
from lib import expect, test

SECONDS = 10
LONGEST = 200
STRESSORS = ["--vm", "1", "--vm-bytes", "32M", "--fork", "1", "--mmap", "1",
             "--mmap-bytes", "16M", "--exec", "1", "--mremap", "1",
             "--mremap-bytes", "8M"]


def family(pid):
    """A process and all that come from it."""
    found = [pid]
    for parent in found:
        try:
            found += machine.children(parent)
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def walk(pid):
    """The exit status of each command; 1 and 42 are for processes that
    went away."""
    return [lib.mmlens(*command, str(pid), stdout=subprocess.DEVNULL)
            .returncode for command in
            (["pte"], ["pte", "--each", "--absent"], ["maps"],
             ["pmap", "-x"], ["smaps"], ["numa_maps"], ["tables"],
             ["pte", "--pages"], ["folios"])]


def goes_on(began, statuses):
    """A slow machine gets more time to see enough of them end well."""
    passed = time.monotonic() - began
    return passed < SECONDS or (passed < LONGEST and
                                statuses.count(0) <= 10)


@test()
def walks_under_stress_end():
    statuses = []
    with lib.quiet_kernel(), lib.process(
            "stress-ng", *STRESSORS, "--timeout", f"{LONGEST + 20}s",
            cwd=lib.directory()) as stress:
        lib.wait_until(lambda: len(family(stress.pid)) > 4,
                       "stress-ng starts nothing")
        began = time.monotonic()
        while goes_on(began, statuses):
            for pid in family(stress.pid):
                statuses += walk(pid)
                if not goes_on(began, statuses):
                    break
        stress.terminate()
        stress.wait(30)
    expect(statuses.count(0) > 10, f"only {statuses.count(0)} went well")
    expect(set(statuses) <= {0, 1, 42}, f"statuses {sorted(set(statuses))}")
    lib.note(f"{statuses.count(0)} walks of processes under stress, "
             f"{len(statuses) - statuses.count(0)} that went away")
