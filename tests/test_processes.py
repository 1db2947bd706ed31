# SPDX-License-Identifier: GPL-2.0-only
"""All processes at once, and the page-table pages of each."""
import json
import os
import re
import subprocess

import lib
import machine
from lib import PAGE, expect, same, test

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


def kilobytes(pid, file):
    """The lines "KEY: NUMBER kB" of a file, in bytes."""
    text = lib.read(f"/proc/{pid}/{file}")
    return {key: int(number) << 10 for key, number in
            re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}


# ---- tables ----

def tables_of(pid, *options):
    document = json.loads(lib.mmlens_ok("tables", *options, "--json", pid))
    process, = document["processes"]
    same(process["pid"], pid, "pid")
    return process


@test(*machine.TARGETS)
def tables_add_up_to_vmpte(target):
    pid = machine.TARGETS[target]()
    before = kilobytes(pid, "status")["VmPTE"]
    process = tables_of(pid, "--each")
    after = kilobytes(pid, "status")["VmPTE"]
    total = process["total"]
    if before == after:
        same(total["bytes"], after, "page tables")
    counted = [table for table in process["tables"]
               if "uncounted" not in table["flags"]]
    same(len(counted) * PAGE, total["bytes"], "tables listed")
    same(total["wasted"] + total["needed"] + total["reserve"], total["bytes"],
         "what is wasted, needed and kept")
    pfns = [table["pfn"] for table in process["tables"] if "pfn" in table]
    expect(len(pfns) == len(set(pfns)), "a page-table page is told twice")
    for level in process["levels"]:
        same(sum(bucket["tables"] for bucket in level["histogram"]),
             level["tables"], f"histogram of {level['level']}")
        same(sum(node.get(level["level"], 0) for node in process["nodes"]),
             level["tables"], f"nodes of {level['level']}")


@test()
def tables_tell_where_the_emptiest_are():
    process = tables_of(sparse())
    emptiest = process["emptiest"][0]
    same(emptiest["level"], "pte", "level of the emptiest range")
    expect(TABLES <= emptiest["tables"] <= TABLES + 100,
           f"{emptiest['tables']} tables in the emptiest range")
    expect(process["total"]["wasted"] > (TABLES - 20) * PAGE,
           f"only {process['total']['wasted']} bytes are wasted")


@test()
def tables_all_has_the_most_wasteful_first():
    pid = sparse()
    document = json.loads(lib.mmlens_ok("tables", "--all", "--json"))
    waste = [process["total"]["wasted"] for process in document["processes"]]
    same(waste, sorted(waste, reverse=True), "order")
    same(document["processes"][0]["pid"], pid, "the most wasteful process")
    same(sum(waste), document["total"]["wasted"], "the sum")


# ---- ps ----

def ps(*options):
    # Another process may end meanwhile, which is told on standard error.
    return json.loads(lib.mmlens_ok("ps", *options, "--json"))


@test(*machine.TARGETS)
@lib.settles
def ps_is_smaps_rollup(target):
    pid = machine.TARGETS[target]()
    rollup = kilobytes(pid, "smaps_rollup")
    status = kilobytes(pid, "status")
    document = lib.observe("ps")
    row, = [p for p in document["processes"] if p["pid"] == pid]
    same((row["vss"], row["rss"], row["pss"] >> 10 << 10, row["uss"],
          row["swap"], row["tables"]),
         (status["VmSize"], rollup["Rss"], rollup["Pss"],
          rollup["Private_Clean"] + rollup["Private_Dirty"], rollup["Swap"],
          status["VmPTE"]), "VSS, RSS, PSS, USS, swap and page tables")


@test()
def ps_of_a_pid_is_that_of_all():
    pid = machine.redis()
    row, = ps(pid)["processes"]
    wanted, = [p for p in ps()["processes"] if p["pid"] == pid]
    for name in "vss", "rss", "swap", "tables", "comm", "uid", "ppid":
        same(row[name], wanted[name], name)


def processes():
    """PIDs of all, and of those that have memory."""
    every = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    return every, {pid for pid in every if os.path.exists(f"/proc/{pid}") and
                   "VmSize" in kilobytes(pid, "status")}


@test()
def ps_has_every_process():
    every, with_memory = processes()
    shown = {p["pid"] for p in ps()["processes"]}
    everything = {p["pid"] for p in ps("-a")["processes"]}
    # Some may have ended, some begun.
    for pid in with_memory - shown:
        expect(not os.path.exists(f"/proc/{pid}"), f"PID {pid} is missing")
    for pid in every - everything:
        expect(not os.path.exists(f"/proc/{pid}"),
               f"PID {pid} is missing with -a")
    expect(lib.kernel_thread() not in shown, "a kernel thread is shown")
    expect(lib.kernel_thread() in everything, "-a shows no kernel thread")


@test()
def ps_by_user_and_mapping_is_all_of_it():
    machine.redis()
    users = ps("-u")
    same(sum(user["rss"] for user in users["users"]), users["total"]["rss"],
         "RSS of the users")
    pid = machine.python()
    row, = ps(pid)["processes"]
    mappings = ps("-m", pid)
    same(mappings["total"]["rss"], row["rss"], "RSS of the mappings")
    same(mappings["total"]["vss"], row["vss"], "VSS of the mappings")
    names = [mapping["map"] for mapping in mappings["mappings"]]
    expect("<anonymous>" in names and "[heap]" in names, f"names: {names}")


@test()
def ps_goes_on_when_processes_end():
    script = "while :; do /bin/true & /bin/true; wait; done"
    with lib.process("sh", "-c", script) as busy:
        for _ in range(10):
            document = ps("-a")
            expect(any(p["pid"] == busy.pid for p in document["processes"]),
                   "the process that forks isn't there")
            expect(not document["walk"]["truncated"], "the walk broke off")
