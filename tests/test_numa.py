# SPDX-License-Identifier: GPL-2.0-only
"""NUMA balancing: entries without access that wait for a fault."""
import contextlib
import os
import signal

import lib
import machine
import pagemap
from lib import Skip, expect, test, try_write, write

NODES = "/sys/devices/system/node"
# Where the scanner's pace is set: since 5.13, and before.
PACE = ("/sys/kernel/debug/sched/numa_balancing/",
        "/proc/sys/kernel/numa_balancing_")


def nodes_with_memory():
    text = lib.read(f"{NODES}/has_memory").strip()
    return 0 if not text else sum(
        int(part.split("-")[-1]) - int(part.split("-")[0]) + 1
        for part in text.split(","))


@contextlib.contextmanager
def fast_scans():
    write("/proc/sys/kernel/numa_balancing", 1)
    for place in PACE:
        for name, value in (("scan_delay_ms", 0), ("scan_period_min_ms", 50),
                            ("scan_period_max_ms", 200),
                            ("scan_size_mb", 256)):
            try_write(place + name, value)
    try:
        yield
    finally:
        write("/proc/sys/kernel/numa_balancing", 0)


def states(workload, name):
    start, end = workload.regions[name][0]
    return [entry["state"] for entry in pagemap.entries_of(
        workload.pid, f"{start:#x}-{end:#x}")]


@test()
def numa_hints_are_told_and_keep_their_frames():
    if nodes_with_memory() < 2:
        raise Skip("this machine has one NUMA node (scripts/vm --numa 2)")
    machine.quiet()
    with fast_scans():
        look_at_hints()


def look_at_hints():
    workload = machine.Workload("numa", stopped=False)
    try:
        lib.wait_until(lambda: "numa_hint" in states(workload, "far") and
                       "numa_hint" in states(workload, "far_huge"),
                       "no NUMA hint appears", 60)
        lib.stop(workload.pid)
        comparison = pagemap.compare(workload.pid)
        hints = [e for e in comparison.entries if e["state"] == "numa_hint"]
        expect(hints, "the hints have gone")
        for entry in hints:
            expect("prot_none" in entry["flags"], f"{entry} has access")
        lib.note(f"{len(hints)} hints, "
                 f"{sum(e['level'] == 'pmd' for e in hints)} of them huge")
    finally:
        os.kill(workload.pid, signal.SIGCONT)
        workload.end()
