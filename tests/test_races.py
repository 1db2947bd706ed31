# SPDX-License-Identifier: GPL-2.0-only
"""The module while everything that it looks at changes.

How long: MMLENS_RACES_SECONDS, MMLENS_RACES_SEED, MMLENS_RACES_READERS;
races-long is only run where it's asked for.
"""
import contextlib
import os
import re

import abuse
import cgroups
import lib
import machine
from lib import Failure, expect, note, test

# What any kernel and machine has.
EVERYWHERE = ("munmap mremap mprotect dontneed free split truncate unlink "
              "fork exec exit kill-reader rmmod").split()


# What kinds of changes set, and other tests have set before.
SETTINGS = (
    f"{machine.HUGETLB}/nr_hugepages", cgroups.GENERATIONS,
    "/proc/sys/kernel/numa_balancing",
    *(f"{machine.MM}/ksm/{name}" for name in
      ("sleep_millisecs", "pages_to_scan")),
    *(f"/sys/kernel/debug/sched/numa_balancing/{name}_ms" for name in
      ("scan_delay", "scan_period_min")),
)


@contextlib.contextmanager
def settings_kept():
    before = {path: lib.read(path).strip() for path in SETTINGS
              if os.path.exists(path)}
    try:
        yield
    finally:
        for path, value in before.items():
            lib.write(path, value)


def races(seconds, *arguments):
    """How often each kind took place, and why not."""
    status, lines = abuse.program_says(
        "races", "--seed", abuse.number("MMLENS_RACES_SEED", 1),
        "--seconds", seconds,
        "--readers", abuse.number("MMLENS_RACES_READERS", 3), *arguments,
        timeout=seconds + 600)
    for line in lines:
        note(line)
    if status:
        raise Failure("; ".join(line for line in lines
                                if line.startswith("failed"))
                      or f"status {status}")
    return {name: (int(done), why) for name, done, why in
            (re.match(r"race (\S+) (\d+), (.*)", line).groups()
             for line in lines if line.startswith("race "))}


def check(seconds):
    machine.quiet()
    machine.swap()
    took_place = set()
    with settings_kept(), abuse.nothing_left(64 * abuse.MIB):
        # With one processor for all of them some wait for their turn for long.
        for _ in range(3):
            found = races(seconds)
            expect("unloaded in use" not in found["rmmod"][1],
                   found["rmmod"][1])
            took_place |= {name for name, (done, _) in found.items() if done}
            if took_place.issuperset(EVERYWHERE):
                break
    for name in EVERYWHERE:
        expect(name in took_place,
               f"{name} never took place: {found[name][1]}")


@test()
def races_short():
    check(abuse.number("MMLENS_RACES_SECONDS", 20))


@test(asked_for=True)
def races_long():
    check(abuse.number("MMLENS_RACES_SECONDS", 900))


@test(asked_for=True)
def races_oom():
    """The kernel kills who is looked at.  It says so with a trace, which is
    kept off the console: there any trace is a complaint."""
    machine.quiet()
    cgroups.require()
    with abuse.quiet_console(), abuse.nothing_left(64 * abuse.MIB):
        found = races(abuse.number("MMLENS_RACES_SECONDS", 20), "--only",
                      "oom,fork,munmap,memcg,free")
    expect(found["oom"][0], f"nobody was killed: {found['oom'][1]}")


# ---- loading and unloading while users arrive ----

CYCLES = 30
MANY_CYCLES = 1000


def cycles(count):
    """Loads and unloads, while others open whatever there is."""
    status, lines = abuse.program_says(
        "races", "--cycles", count, "--module", lib.module_path(),
        timeout=60 + 10 * count)
    for line in lines:
        note(line)
    lib.same(status, 0, "status")
    opened = int(re.search(r"(\d+) arrivals", lines[-1]).group(1))
    expect(opened, "nobody arrived")


def check_cycles(count):
    machine.quiet()
    with lib.without_module():
        cycles(3)  # what a kernel takes once isn't counted
    with abuse.nothing_left():
        with lib.without_module():
            cycles(count)


@test()
def module_cycles():
    check_cycles(abuse.number("MMLENS_CYCLES", CYCLES))


@test(asked_for=True)
def module_thousand_cycles():
    check_cycles(abuse.number("MMLENS_CYCLES", MANY_CYCLES))
