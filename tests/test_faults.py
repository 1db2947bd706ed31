# SPDX-License-Identifier: GPL-2.0-only
"""Each allocation that the module makes fails in turn: needs a kernel with
fault injection (scripts/vm --kernel 6.1-debug).

faults-load-all, asked for, does the same with each of the allocations of
loading (444 on 6.1); faults-load with each seventh of them.
"""
import re

import abuse
import lib
import machine
from lib import Failure, Skip, expect, note, same, test


def faults(*arguments):
    """What was injected and refused, by name."""
    status, lines = abuse.program_says("faults", *arguments, timeout=3600)
    if status == 3:
        raise Skip(lines[-1])
    for line in lines:
        note(line)
    if status:
        raise Failure("; ".join(line for line in lines
                                if line.startswith("failed"))
                      or f"status {status}")
    return {name: (int(injected), int(refused)) for name, injected, refused in
            (re.match(r"fault (\S+) (\d+) injected, (\d+) refused",
                      line).groups() for line in lines)}


@test()
def faults_in_turn():
    """Of every query, of opening, and of every file in debugfs."""
    machine.quiet()
    faults("--only", "info")
    with abuse.nothing_left():
        found = faults()
    # A session has four parts, and each may be missing.
    expect(found["open"][1] >= 4, f"open: {found['open']}")
    for name in "maps", "pte", "zones", "ledger", "target":
        injected, refused = found[f"debugfs/{name}"]
        expect(injected >= refused >= 1, f"{name}: {injected}, {refused}")
    # Walks take nothing: what they need they have from the start.
    for name, (injected, _) in found.items():
        if not name.startswith("debugfs/") and name != "open":
            note(f"{name} takes memory {injected} times")


def load_fails(*arguments):
    """The kernel itself says where it lacked memory, with a trace."""
    faults("--only", "info")
    with abuse.quiet_console(), abuse.nothing_left():
        with lib.without_module():
            found = faults("--load", lib.module_path(), *arguments)
            same(lib.module_loaded(), False, "loaded afterwards")
    injected, refused = found["load"]
    expect(injected > 10 and refused > 5, f"{injected}, {refused}")


@test()
def faults_load():
    load_fails("--step", "7")


@test(asked_for=True)
def faults_load_all():
    load_fails()
