# SPDX-License-Identifier: GPL-2.0-only
"""Views that replace a file or a tool have its exact bytes."""
import difflib
import json

import lib
import machine
import pagemap
from lib import expect, same, test


def difference(got, wanted):
    """The first lines that differ, for people."""
    ours, theirs = (text.decode(errors="backslashreplace").split("\n")
                    for text in (got, wanted))
    first = next((at for at, (one, other) in enumerate(zip(ours, theirs))
                  if one != other), min(len(ours), len(theirs)))
    # What is far behind the first difference helps nobody and takes long.
    window = slice(first, first + 100)
    lines = list(difflib.unified_diff(theirs[window], ours[window],
                                      "original", "mmlens", lineterm="",
                                      n=0))
    head = [line for line in theirs[:first] if " kB" not in line][-1:]
    return "\n".join([f"line {first + 1}, after", *head, *lines[:12]])


def same_bytes(ours, original):
    """Both are called; a process that isn't stopped may change in between."""
    for _ in range(3):
        wanted = original()
        got = ours()
        if got == wanted:
            return wanted
    raise lib.Failure("other bytes\n" + difference(got, wanted))


@test(*machine.TARGETS)
def maps_equals(target):
    pid = machine.TARGETS[target]()
    text = same_bytes(lambda: lib.mmlens_ok("maps", pid),
                      lambda: lib.read(f"/proc/{pid}/maps", "rb"))
    # A static program has a handful.
    expect(text.count(b"\n") > 5, "hardly any mappings")


@test()
def maps_of_a_long_path():
    """A mapping whose line is longer than most buffers."""
    pid = machine.Workload("path", lib.directory()).pid
    text = same_bytes(lambda: lib.mmlens_ok("maps", pid),
                      lambda: lib.read(f"/proc/{pid}/maps", "rb"))
    expect(max(map(len, text.split(b"\n"))) > 3000, "no long path")


@test("", "-x", "-d", "-q", "-p", "-x -q", "-x -p", "-d -q", "-d -p",
      "-A 0x100d00000000,0x101300000000", "--extended", "--device --quiet")
def pmap_option(options):
    pid = str(machine.workload().pid)
    arguments = ["pmap", *options.split(), pid]
    text = same_bytes(lambda: lib.mmlens_ok(*arguments),
                      lambda: lib.run(*arguments).stdout)
    expect(text.count(b"\n") > 3, "hardly any mappings")


@test()
def pmap_of_several():
    """All that are there are shown, and the status tells of the others."""
    gone = str(lib.free_pid())
    pids = [str(machine.shell()), gone, str(machine.python())]
    ours, original = (lib.run(*command, "pmap", "-x", *pids)
                      if command else lib.run("pmap", "-x", *pids)
                      for command in (["mmlens"], []))
    same(original.returncode, 42, "status of procps pmap")
    same(ours.returncode, 42, "status")
    expect(ours.stdout == original.stdout,
           "other bytes\n" + difference(ours.stdout, original.stdout))
    expect(gone.encode() in ours.stderr, "nothing says which PID is missing")
    both = lib.mmlens("pmap", "-x", pids[0], pids[2])
    same(both.returncode, 0, "status when all are there")
    same(both.stdout, original.stdout, "output for those that are there")


@test()
def maps_json_agrees():
    """The document has the same VMAs as the text."""
    pid = machine.workload().pid
    document = json.loads(lib.mmlens_ok("maps", "--json", pid))
    vmas = pagemap.maps(pid)
    found = [v for v in document["vmas"] if int(v["start"], 16) < 1 << 63]
    same([(int(v["start"], 16), int(v["end"], 16)) for v in found],
         [(v.start, v.end) for v in vmas], "addresses")
    same([v.get("inode", 0) for v in found], [v.inode for v in vmas], "inodes")


@test("maps", "smaps", "smaps_rollup", "numa_maps", "pmap", "pte", "tables",
      "folios", "ps", "vtop", "info")
def json_is_one_document(command):
    pid = machine.workload().pid
    arguments = {"info": [], "ps": [], "pmap": ["-x", pid],
                 "vtop": [pid, f"{machine.workload().regions['anon'][0][0]:x}"]
                 }.get(command, [pid])
    document = json.loads(lib.mmlens_ok(command, "--json", *arguments))
    same(set(document["mmlens"]), {"version", "kernel", "arch", "page_size"},
         "members of mmlens")
    same(document["mmlens"]["arch"], "x86_64", "arch")
