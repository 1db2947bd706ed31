# SPDX-License-Identifier: GPL-2.0-only
"""Nodes and zones: what zoneinfo and buddyinfo of the kernel say."""
import re

import lib
import machine
import records
from lib import Failure, expect, same, test

# Numbers of zoneinfo that nothing changes on a machine that does nothing.
STILL = ("boost min low high promo spanned present managed cma batch high_min "
         "high_max start_pfn reserved_highatomic node_unreclaimable "
         "threshold").split()
# Pages that a program takes while it runs, and CPUs' differences.
PROGRAM = 4096
ATTEMPTS = 20


def numbers_of(text):
    """Lines with what stands before their last number, and that; of others
    (a zone's name, its protection) the whole line."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"(.*?)(-?\d+)", line)
        if match and not line.startswith("Node"):
            found.append((match.group(1), int(match.group(2))))
        else:
            found.append((line, None))
    return found


def between(value, before, after, slack):
    return min(before, after) - slack <= value <= max(before, after) + slack


def compare(before, ours, after):
    """The same lines; numbers as they were before and are afterwards."""
    same([line for line, _ in ours], [line for line, _ in before], "lines")
    for (line, old), (_, value), (_, new) in zip(before, ours, after):
        if old is None:
            continue
        key = line.strip(" :").split(" ")[-1].split(":")[0]
        slack = 0 if key in STILL else PROGRAM
        # what counts events only grows
        expect(between(value, old, new, slack),
               f"{line!r}: {value}, {old} before and {new} after")


def settles_soon(function):
    """Something else may have run meanwhile."""
    for _ in range(ATTEMPTS - 1):
        try:
            return function()
        except Failure:
            pass
    return function()


@test()
def zones_zoneinfo_is_the_kernels():
    machine.quiet()

    def once():
        before = numbers_of(lib.read("/proc/zoneinfo"))
        ours = numbers_of(lib.observer_ok("zoneinfo").decode())
        compare(before, ours, numbers_of(lib.read("/proc/zoneinfo")))
    settles_soon(once)


@test()
def zones_buddyinfo_is_the_kernels():
    machine.quiet()

    def words():
        return [line.split() for line in
                lib.read("/proc/buddyinfo").splitlines()]

    def once():
        before, text = words(), lib.observer_ok("buddyinfo").decode()
        ours, after = [line.split() for line in text.splitlines()], words()
        same([line[:4] for line in ours], [line[:4] for line in before],
             "zones")
        for line, old, new in zip(ours, before, after):
            same(len(line), len(old), "orders")
            for value, a, b in zip(line[4:], old[4:], new[4:]):
                expect(between(int(value), int(a), int(b), PROGRAM),
                       f"{line}: {value}, {a} before and {b} after")
        for line, values in zip(text.splitlines(), ours):
            same(line, "Node {}, zone {:>8} ".format(values[1][:-1], values[3])
                 + "".join(f"{v:>6} " for v in values[4:]), "its columns")
    settles_soon(once)


# ---- number by number, from the records, in one process ----

def kernels():
    """Zoneinfo's numbers by zone, in order of the file."""
    found, zone, part = {}, None, None
    for line in lib.read("/proc/zoneinfo").splitlines():
        match = re.fullmatch(r"Node (\d+), zone +(\S+)", line)
        if match:
            zone = found[int(match.group(1)), match.group(2)] = {
                "head": [], "stats": [], "cpus": []}
            part = "head"
        elif line == "  per-node stats":
            part = zone["node"] = []
            continue
        elif line.startswith("  pages free"):
            part = "head"
        elif line.startswith("        protection:"):
            zone["reserve"] = [int(v) for v in re.findall(r"-?\d+", line)]
            part = "stats"
            continue
        elif line == "  pagesets":
            part = "cpus"
            continue
        elif line.startswith("  node_unreclaimable:"):
            part = zone["tail"] = []
        if match:
            continue
        into = zone[part] if isinstance(part, str) else part
        into.append(int(line.split()[-1]))
    return found


def heads(zone):
    """Watermarks and sizes; which of them a file has differs by series."""
    return {zone[key] for key in ("free", "min", "low", "high", "spanned",
                                  "present", "managed")}


def ours_by_zone():
    found = {}
    for node in records.zones():
        for zone in node["zones_of"]:
            found[node["node"], zone["name"]] = (node, zone)
    return found


# Pages of the buffer that a look at records takes and gives back.
BUFFER = records.BUFFER_SIZE >> 12


def exact(values, before, after, what, slack=0):
    """What didn't change between two looks was that in between."""
    same(len(values), len(before), f"{what}: how many")
    for at, (value, old, new) in enumerate(zip(values, before, after)):
        if old == new:
            expect(abs(value - old) <= slack,
                   f"{what} {at}: {value} instead of {old}")


def compare_zone(node, zone, before, after):
    name = f"node {node['node']} zone {zone['name']}"
    same(zone["reserve"], before["reserve"], f"{name}: protection")
    same(zone["flags"] & records.ZONE_POPULATED, int(bool(before["cpus"])),
         f"{name}: populated")
    if before["head"] == after["head"]:
        same(heads(zone) - set(before["head"]), set(), f"{name}: head")
    if "node" in before:
        exact(node["node_stats"], before["node"], after["node"],
              f"{name}: the node's counters", BUFFER)
    if not before["cpus"]:
        return
    exact(zone["stats"] + zone["numa"], before["stats"], after["stats"],
          f"{name}: counters", BUFFER)
    keys = [key for key in records.PAGESET_KEYS
            if key not in ("high_min", "high_max")
            or len(before["cpus"]) == 7 * len(zone["cpus"])]
    exact([cpu[key] for cpu in zone["cpus"] for key in keys],
          before["cpus"], after["cpus"], f"{name}: CPUs")


@test()
def zones_records_are_exact():
    """A number that is the same in two looks was that in between, too."""
    machine.quiet()

    def once():
        before, ours, after = kernels(), ours_by_zone(), kernels()
        same(sorted(ours), sorted(before), "zones")
        for name, (node, zone) in ours.items():
            compare_zone(node, zone, before[name], after[name])
    settles_soon(once)


@test()
def zones_free_blocks_are_exact():
    machine.quiet()

    def kernels_free():
        return {(int(node), zone): [int(v) for v in rest.split()]
                for node, zone, rest in re.findall(
                    r"Node (\d+), zone +(\S+)(.*)",
                    lib.read("/proc/buddyinfo"))}

    def once():
        before, ours, after = kernels_free(), ours_by_zone(), kernels_free()
        for name, values in before.items():
            exact(ours[name][1]["free_blocks"], values, after[name],
                  f"{name}: free blocks")
    settles_soon(once)


@test()
def zones_names_are_in_json():
    stats = lib.observe("zoneinfo")["nodes"][0]["zones"]
    populated = [zone for zone in stats if zone["populated"]]
    expect(populated, "no zone has pages")
    for zone in populated:
        expect("nr_free_pages" in zone["stats"], f"no nr_free_pages: {zone}")
        for key in ("free", "min", "low", "high", "spanned", "start_pfn"):
            expect(key in zone, f"no {key}: {zone}")
        expect(zone["pagesets"] and "count" in zone["pagesets"][0],
               f"no CPUs: {zone}")
    free = lib.observe("buddyinfo")["zones"]
    same([zone["zone"] for zone in free if zone["node"] == 0],
         [zone["zone"] for zone in populated], "zones of buddyinfo")


@test()
def zones_debugfs():
    text = lib.read("/sys/kernel/debug/mmlens/zones")
    names = re.findall(r"^zone (\d+) (\S+) ", text, re.M)
    same([(int(node), name) for node, name in names],
         list(ours_by_zone()), "zones")
    expect("kswapd=sleeps" in text, "kswapd doesn't sleep")


# ---- mmlens zones ----

MIN_FREE = "/proc/sys/vm/min_free_kbytes"


def populated():
    return [zone for node in lib.observe("zones")["nodes"]
            for zone in node["zones"] if zone["state"] != "empty"]


@test()
def zones_columns_are_zoneinfos():
    """What stands still is the same; the state follows from the numbers."""
    machine.quiet()
    info = {(node["node"], zone["zone"]): zone
            for node in lib.observe("zoneinfo")["nodes"]
            for zone in node["zones"]}
    for node in lib.observe("zones")["nodes"]:
        for zone in node["zones"]:
            of = info[node["node"], zone["zone"]]
            for key in ("spanned", "present", "managed", "min", "low", "high"):
                same(zone[key], of[key], f"{zone['zone']} {key}")
            same(zone["state"] == "empty", not of["populated"], "empty")


@test()
def zones_state_follows_the_watermarks():
    """With watermarks above what is free, kswapd can't sleep for long."""
    machine.quiet()
    expect(all(zone["state"] == "above_high" for zone in populated()),
           f"too little is free: {populated()}")
    usual = lib.read(MIN_FREE)
    free = sum(zone["free"] for zone in populated())
    try:
        # so that low is above what is free, and min below
        lib.write(MIN_FREE, str(free * 4 * 88 // 100))
        found = populated()
        same([zone["state"] for zone in found],
             [state(zone) for zone in found], "states")
        expect(any(zone["state"] != "above_high" for zone in found),
               f"all above high: {found}")
    finally:
        lib.write(MIN_FREE, usual)


def state(zone):
    """As the kernel's documentation of the watermarks has it."""
    for name in ("high", "low", "min"):
        if zone["free"] >= zone[name]:
            return {"high": "above_high", "low": "below_high",
                    "min": "below_low"}[name]
    return "below_min"
