# SPDX-License-Identifier: GPL-2.0-only
"""Page-table pages: their number is VmPTE, their use what pagemap shows."""
import collections
import json
import os
import subprocess

import lib
import machine
import pagemap
import records
from lib import PAGE, expect, same, test

SPAN = {"pte": 2 << 20, "pmd": 1 << 30, "pud": 1 << 39, "p4d": 1 << 48,
        "pgd": 1 << 57}
BELOW = {"pmd": "pte", "pud": "pmd"}
IN_USE = pagemap.PRESENT | pagemap.SWAP


def status_field(pid, name):
    """Bytes of a field of /proc/PID/status."""
    for line in lib.read(f"/proc/{pid}/status").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise lib.Failure(f"no {name} in /proc/{pid}/status")


def counted(tables):
    return [t for t in tables if not t.flags & records.TABLE_UNCOUNTED]


def in_use(tables):
    return [t for t in tables if not t.flags & records.TABLE_DEPOSITED]


@test(*machine.TARGETS)
@lib.settles
def tables_are_vmpte(target):
    pid = machine.TARGETS[target]()
    tables = records.tables(pid)
    same(len(counted(tables)) * PAGE, status_field(pid, "VmPTE"),
         f"VmPTE, with {collections.Counter(t.level for t in tables)}")
    frames = [t.pfn for t in in_use(tables)]
    same(len(frames), len(set(frames)), "different frames")


@test()
def tables_are_deposited():
    """A huge page of anonymous memory keeps a table."""
    workload = machine.workload()
    start, end = workload.regions["thp"][0]
    spare = [t for t in records.tables(workload.pid)
             if t.flags & records.TABLE_DEPOSITED]
    expect({t.va for t in spare} >= set(range(start, end, SPAN["pte"])),
           f"tables kept at {[hex(t.va) for t in spare]}")
    for table in spare:
        same((table.level, table.pfn), ("pte", 0), "a table in reserve")


def bare_ranges(pid):
    """Of bare frames pagemap tells nothing."""
    ends = {v.start: v.end for v in pagemap.maps(pid)}
    return [(start, ends[start])
            for start, fields in pagemap.smaps(pid).items()
            if start in ends and "pf" in fields["VmFlags"]]


def check_leaf_table(pid, file, table, bare):
    """Entries in use of one PTE table, counted by pagemap."""
    same(table.entries, 512, f"entries at {table.va:#x}")
    end = min(table.va + SPAN["pte"], pagemap.USER_END)
    known = pagemap.read_pagemap(file, table.va, (end - table.va) // PAGE)
    used = sum(1 for entry in known if entry & IN_USE)
    if any(start < table.va + SPAN["pte"] and end > table.va
           for start, end in bare):
        expect(table.used >= used, f"{table.used} used at {table.va:#x}, "
               f"pagemap has {used}")
    else:
        same(table.used, used, f"entries in use at {table.va:#x}")


@test(*machine.SMALL_TARGETS)
@lib.settles
def table_use_is_pagemaps(target):
    pid = machine.TARGETS[target]()
    bare = bare_ranges(pid)
    leaves = [t for t in in_use(records.tables(pid)) if t.level == "pte"]
    expect(leaves, "no tables")
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        for table in leaves:
            check_leaf_table(pid, file, table, bare)


@test("shell", "redis", "workload")
def table_use_is_the_level_belows(target):
    """An upper entry in use is a table or a leaf."""
    pid = machine.TARGETS[target]()
    tables = in_use(records.tables(pid))
    leaves = pagemap.entries_of(pid)
    for level, below in BELOW.items():
        lower = collections.Counter(
            t.va & -SPAN[level] for t in tables if t.level == below)
        lower.update(e["va"] & -SPAN[level]
                     for e in leaves if e["level"] == level)
        for table in tables:
            if table.level != level or table.flags & records.TABLE_SHARED:
                continue
            same(table.used, lower[table.va & -SPAN[level]],
                 f"entries in use of the {level} table of {table.va:#x}")


@test()
def tables_are_in_order():
    """Upper levels first, none twice, all on a node that is there."""
    tables = records.tables(machine.workload().pid)
    order = [(t.va & -SPAN[t.level], -SPAN[t.level]) for t in in_use(tables)]
    same(len(order), len(set(order)), "different tables")
    seen = set()
    for va, span in order:
        above = [s for s in seen if s[1] < span and s[0] == va & s[1]]
        expect(above or span == min(s for _, s in order),
               f"a table at {va:#x} before the one above it")
        seen.add((va, span))
    nodes = {t.node for t in in_use(tables)}
    expect(all(os.path.isdir(f"/sys/devices/system/node/node{n}")
               for n in nodes), f"nodes {nodes}")


# ---- the command ----

def command(*arguments):
    return json.loads(lib.mmlens_ok("tables", "--json", *arguments))


def of_one(pid):
    """The document's part about the process."""
    process, = command(pid)["processes"]
    same(process["pid"], pid, "pid")
    return process


@test(*machine.SMALL_TARGETS)
@lib.settles
def tables_command_counts(target):
    """Per level as the records say, and VmPTE in all."""
    pid = machine.TARGETS[target]()
    process = of_one(pid)
    tables = in_use(records.tables(pid))
    for level in process["levels"]:
        mine = [t for t in tables if t.level == level["level"]]
        same((level["tables"], level["used"], level["empty"]),
             (len(mine), sum(t.used for t in mine),
              sum(not t.used for t in mine)), level["level"])
        same(sum(bucket["tables"] for bucket in level["histogram"]),
             len(mine), f"histogram of {level['level']}")
        for bucket in level["histogram"]:
            same(bucket["tables"],
                 sum(bucket["first"] <= t.used <= bucket["last"]
                     for t in mine),
                 f"{level['level']} tables with {bucket['first']} to "
                 f"{bucket['last']} used")
    same({level["level"] for level in process["levels"]},
         {t.level for t in tables}, "levels")
    same(sum(node["pte"] for node in process["nodes"]),
         sum(t.level == "pte" for t in tables), "PTE tables on all nodes")
    total = process["total"]
    same(total["bytes"], status_field(pid, "VmPTE"), "bytes in all")
    same(total["wasted"] + total["needed"] + total["reserve"], total["bytes"],
         "what is wasted, needed and kept")


@test("workload", "redis", "vmas")
def tables_command_finds_the_emptiest(target):
    """Ranges with the tables in them, each less than half full."""
    pid = machine.TARGETS[target]()
    tables = in_use(records.tables(pid))
    ranges = of_one(pid)["emptiest"]
    expect(ranges, "no ranges")
    for found in ranges:
        start, end = int(found["start"], 16), int(found["end"], 16)
        mine = [t for t in tables if t.level == found["level"] and
                start <= t.va < end]
        same((found["tables"], found["used"], found["entries"]),
             (len(mine), sum(t.used for t in mine),
              sum(t.entries for t in mine)), f"tables from {start:#x}")
        expect(2 * found["used"] < found["entries"], f"{found} isn't empty")
    unused = [found["entries"] - found["used"] for found in ranges]
    same(unused, sorted(unused, reverse=True), "most unused entries first")


# One page in the middle of the addresses of each page-table page.
TABLES = 1000
SPARSE = f"""
import mmap, threading
step = 2 << 20
m = mmap.mmap(-1, {TABLES} * step, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS |
              getattr(mmap, "MAP_NORESERVE", 0x4000))
m.madvise(getattr(mmap, "MADV_NOHUGEPAGE", 15))
for i in range({TABLES}):
    m[i * step + step // 2] = 1
print("ready", flush=True)
threading.Event().wait()
"""


@lib.once
def sparse():
    machine.quiet()
    child = lib.until_end(lib.process("python3", "-c", SPARSE,
                                      stdout=subprocess.PIPE))
    same(child.stdout.readline(), b"ready\n", "the sparse program says")
    lib.stop(child.pid)
    return child.pid


@test()
def tables_tell_where_the_emptiest_are():
    """The reference case: a table for each page."""
    process = of_one(sparse())
    emptiest = process["emptiest"][0]
    same(emptiest["level"], "pte", "level of the emptiest range")
    expect(TABLES <= emptiest["tables"] <= TABLES + 100,
           f"{emptiest['tables']} tables in the emptiest range")
    expect(process["total"]["wasted"] > (TABLES - 20) * PAGE,
           f"only {process['total']['wasted']} bytes are wasted")


@test()
def tables_of_all_processes():
    """Sorted by waste; the sums of each are its VmPTE."""
    pids = [machine.shell(), machine.redis(), machine.vmas(), sparse()]
    document = command("--all")
    processes = document["processes"]
    waste = [p["total"]["wasted"] for p in processes]
    same(waste, sorted(waste, reverse=True), "order of waste")
    same(sum(waste), document["total"]["wasted"], "the sum")
    same(processes[0]["pid"], sparse(), "the most wasteful process")
    totals = {p["pid"]: p["total"] for p in processes}
    for pid in pids:
        expect(pid in totals, f"process {pid} is missing")
        same(totals[pid]["bytes"], status_field(pid, "VmPTE"),
             f"VmPTE of {pid}")
    expect(lib.kernel_thread() not in totals, "a kernel thread")
    text = lib.mmlens_ok("tables", "--all").decode()
    expect(len(text.splitlines()) >= len(processes), "lines of text")
