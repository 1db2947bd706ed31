# SPDX-License-Identifier: GPL-2.0-only
"""Differences of captures: known changes are told as what they are, exactly."""
import json
import os
import signal
import subprocess
import time

import lib
import machine
import pagemap
from lib import Skip, expect, same, test
from test_snap import place, snap

PAGE = lib.PAGE

# A process that does what it is told, line by line, with a region of its own
# between two guards, so that no other mapping is merged with it.
TARGET = """
import ctypes, mmap, os, signal, sys
PAGE, HUGE = 4096, 2 << 20
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int,
                      ctypes.c_int, ctypes.c_int, ctypes.c_long]
for name in ("madvise", "mprotect", "msync"):
    getattr(libc, name).argtypes = [ctypes.c_void_p, ctypes.c_size_t,
                                    ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
def check(result):
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
size = int(sys.argv[1]) * PAGE
hold = libc.mmap(None, size + 2 * HUGE, 0, 0x22, -1, 0)
base = (hold + HUGE) & -HUGE
if len(sys.argv) > 2:
    fd = os.open(sys.argv[2], os.O_RDWR)
    libc.mmap(base, size, 3, 0x11, fd, 0)
else:
    check(libc.mprotect(base, size, 3))
    check(libc.madvise(base, size, 15))
def write(pages):
    for page in pages:
        ctypes.memset(base + page * PAGE, page % 255 + 1, 1)
def read(pages):
    return sum(ctypes.c_byte.from_address(base + page * PAGE).value
               for page in pages)
def advise(first, count, advice):
    check(libc.madvise(base + first * PAGE, count * PAGE, advice))
def fork():
    if not os.fork():
        libc.prctl(1, 9)
        signal.pause()
def move(pages, node):
    count = len(pages)
    where = (ctypes.c_void_p * count)(*(base + page * PAGE for page in pages))
    nodes = (ctypes.c_int * count)(*[node] * count)
    check(libc.syscall(279, 0, ctypes.c_ulong(count), where, nodes,
                       (ctypes.c_int * count)(), 2))
print(hex(base), flush=True)
for line in sys.stdin:
    try:
        exec(line)
        print("done", flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""


class Target:
    def __init__(self, pages, *arguments):
        self.process = subprocess.Popen(
            ["python3", "-c", TARGET, str(pages), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lib.at_end(self.end)
        self.pid = self.process.pid
        self.base = int(self.process.stdout.readline(), 16)
        self.size = pages * PAGE

    def do(self, line):
        """Returns the errno that it failed with, or 0."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().strip()
        return 0 if said == b"done" else int(said)

    def must(self, line):
        same(self.do(line), 0, f"errno of {line}")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def of_region(document, target):
    """What is said of its region: nothing means that nothing changed."""
    for vma in document["vmas"]:
        if int(vma["start"], 16) == target.base:
            return vma
    return {"pages": {}, "changed": 0, "entries": []}


def between(target, *actions, before=()):
    """The row of the region; the actions happen between the captures."""
    for action in before:
        target.must(action)
    first = snap("before.cap", "--entries", target.pid)
    for action in actions:
        target.must(action)
    second = snap("after.cap", "--entries", target.pid)
    plain = lib.observe("diff", first, second)
    each = lib.observe("diff", "--each", first, second)
    row, full = of_region(plain, target), of_region(each, target)
    entries = full.pop("entries", [])
    row.pop("entries", None)
    same(full, row, "with --each")
    sums = {}
    for entry in entries:
        for kind in entry["changes"]:
            sums[kind] = sums.get(kind, 0) + entry["size"] // PAGE
    same(sums, row["pages"], "sum of the entries")
    text = lib.observer_ok("diff", first, second).decode()
    if row["changed"]:
        lines = [line for line in text.split("\n")
                 if line.startswith(f"{target.base:08x}-")]
        same(len(lines), 1, "lines of the region")
        for kind, pages in row["pages"].items():
            expect(f"{kind} {pages}" in lines[0], f"{kind} isn't in {lines}")
    return row, entries


def bits_of(row):
    """Without what the hardware did on its own account."""
    return {kind: pages for kind, pages in row["pages"].items()
            if kind not in ("accessed", "cleared")}


@test()
def diff_of_nothing():
    pid = machine.workload().pid
    first, second = snap("1.cap", pid), snap("2.cap", pid)
    document = lib.observe("diff", first, first)
    same((document["vmas"], document["changed"]), ([], 0), "of one file")
    document = lib.observe("diff", first, second)
    same((document["vmas"], document["changed"]), ([], 0),
         "of a process that is stopped")
    text = lib.observer_ok("diff", "--each", first, second)
    same(text, b"total: no entry changed\n", "text")


@test()
def diff_faulted_in():
    machine.quiet()
    target = Target(64)
    row, _ = between(target, "write(range(5, 22))")
    same(row["pages"], {"faulted_in": 17}, "pages")
    row, _ = between(target, "advise(7, 4, 4)")
    same(row["pages"], {"unmapped": 4}, "pages after MADV_DONTNEED")
    row, _ = between(target, "read(range(7, 9))")
    same(row["pages"], {"faulted_in": 2}, "zero pages")
    row, entries = between(target, "write(range(7, 9))")
    same(row["pages"], {"copied_on_write": 2}, "written zero pages")
    same(["zero" in e["before"]["flags"] for e in entries], [True, True],
         "zero pages before")


@test()
def diff_copied_on_write():
    machine.quiet()
    target = Target(64)
    row, entries = between(target, "write(range(10, 33))",
                           before=("write(range(64))", "fork()"))
    same(bits_of(row), {"copied_on_write": 23}, "pages")
    same([int(e["va"], 16) for e in entries
          if "copied_on_write" in e["changes"]],
         [target.base + page * PAGE for page in range(10, 33)], "addresses")
    for entry in entries:
        expect(entry["before"]["pfn"] != entry["after"]["pfn"], "same PFN")
        expect("rw" in entry["after"]["flags"] and
               "rw" not in entry["before"]["flags"], f"rights of {entry}")


@test()
def diff_swapped():
    machine.quiet()
    machine.swap()
    target = Target(64)

    def swapped():
        return sum(1 for entry in pagemap.entries_of(
            target.pid, f"{target.base:x}-{target.base + target.size:x}")
            if entry["state"] == "swap")
    target.must("write(range(64))")
    row, _ = between(target, "advise(8, 19, 21)")
    same(swapped(), 19, "the kernel swapped out")
    same(bits_of(row), {"swapped_out": 19}, "pages")
    row, _ = between(target, "read(range(8, 14))")
    count = 19 - swapped()
    expect(count >= 6, "nothing came back")
    same(bits_of(row), {"swapped_in": count}, "pages that came back")
    row, _ = between(target, "advise(14, 13, 4)")
    same(bits_of(row).get("unmapped"), 13, "pages and slots that were dropped")


@test()
def diff_dirtied_and_cleaned():
    """A shared mapping of a file: dirty pages are written back and write
    protected, and the next write is noticed."""
    machine.quiet()
    path = place("diff.data")
    with open(path, "wb") as file:
        file.write(b"x" * 64 * PAGE)
        os.fsync(file.fileno())
    target = Target(64, path)
    sync = "check(libc.msync(base, size, 4))"
    row, _ = between(target, "write(range(3, 24))",
                     before=("read(range(64))", "write(range(64))", sync))
    same(bits_of(row), {"dirtied": 21, "protected": 21}, "pages")
    row, _ = between(target, sync)
    same(bits_of(row), {"cleaned": 21, "protected": 21}, "pages written back")


@test()
def diff_accessed_and_cleared():
    machine.quiet()
    target = Target(64)
    target.must("write(range(64))")
    before = snap("before.cap", "--entries", target.pid)
    lib.write(f"/proc/{target.pid}/clear_refs", "1")
    after = snap("after.cap", "--entries", target.pid)
    row = of_region(lib.observe("diff", before, after), target)
    same(row["pages"], {"cleared": 64}, "pages after clear_refs")
    row, _ = between(target, "read(range(30, 41))")
    same(row["pages"], {"accessed": 11}, "pages that were read")


@test()
def diff_split():
    machine.quiet()
    target = Target(512)
    target.must("advise(0, 512, 14)")
    target.must("write(range(512))")
    first = pagemap.entries_of(target.pid, f"{target.base:x}")[0]
    if first["level"] != "pmd":
        raise Skip("there was no huge page")
    row, entries = between(target, "advise(100, 1, 4)")
    bits = bits_of(row)
    # 6.1 and before leave the dirty bit to the pages alone, later ones carry it
    # over to each entry.
    same(bits.pop("cleaned", 511), 511, "cleaned")
    same(bits, {"split": 511, "unmapped": 1}, "pages")
    same(row["split_leaves"], 1, "leaves")
    same([e["changes"] for e in entries if int(e["va"], 16) ==
          target.base + 100 * PAGE], [["unmapped"]], "the page in it")


@test()
def diff_collapsed():
    machine.quiet()
    target = Target(512)
    target.must("write(range(512))")
    first = snap("before.cap", "--entries", target.pid)
    target.must("advise(0, 512, 14)")
    error = target.do("advise(0, 512, 25)")
    if error:
        raise Skip(f"MADV_COLLAPSE: {os.strerror(error)}")
    second = snap("after.cap", "--entries", target.pid)
    row = of_region(lib.observe("diff", first, second), target)
    same(bits_of(row), {"collapsed": 512}, "pages")
    same(row["collapsed_leaves"], 1, "leaves")


@test()
def diff_protected():
    machine.quiet()
    target = Target(64)
    row, _ = between(target, "check(libc.mprotect(base, size, 1))",
                     before=("write(range(20))",))
    same(bits_of(row), {"protected": 20}, "pages")
    expect("write" in row["flags_before"] and "write" not in row["flags"],
           f"flags of {row}")
    text = lib.observer_ok("diff", place("before.cap"),
                           place("after.cap")).decode()
    expect("rw-p>r--p" in text, f"no rights in {text}")


@test()
def diff_gone_and_new():
    machine.quiet()
    target = Target(64)
    row, _ = between(target, "check(libc.munmap(base, size))",
                     before=("write(range(20))",))
    same((bits_of(row), row.get("gone")), ({"unmapped": 20}, True),
         "of a mapping that is gone")
    row, _ = between(target,
                     "libc.mmap(base, size, 3, 0x32, -1, 0)",
                     "check(libc.madvise(base, size, 15))",
                     "write(range(9))")
    same((bits_of(row), row.get("new")), ({"faulted_in": 9}, True),
         "of a mapping that is new")


@test()
def diff_migrated():
    machine.quiet()
    if not os.path.exists("/sys/devices/system/node/node1"):
        raise Skip("this machine has one NUMA node (scripts/vm --numa 2)")
    target = Target(64)
    row, entries = between(
        target, "move(range(20, 51), 0)",
        before=("write(range(64))", "move(range(20, 51), 1)"))
    same(bits_of(row), {"migrated": 31}, "pages")
    same({e["after"]["pfn"] == e["before"]["pfn"] for e in entries}, {False},
         "same PFN")


@test()
def diff_compacted():
    """Compaction moves pages; pagemap says which."""
    machine.quiet()
    target = Target(4096)
    target.must("write(range(4096))")
    # Holes all over, so that there is something to compact.
    target.must("[advise(page, 1, 4) for page in range(0, 4096, 2)]")

    def frames():
        return {entry["va"]: entry["pfn"] for entry in pagemap.entries_of(
            target.pid, f"{target.base:x}-{target.base + target.size:x}")
            if entry["state"] == "present"}
    before = snap("before.cap", "--entries", target.pid)
    old = frames()
    lib.write("/proc/sys/vm/compact_memory", 1)
    after = snap("after.cap", "--entries", target.pid)
    new = frames()
    moved = sum(1 for va in old if old[va] != new[va])
    if not moved:
        raise Skip("compaction moved nothing")
    row = of_region(lib.observe("diff", before, after), target)
    same(bits_of(row), {"migrated": moved}, "pages")
    lib.note(f"{moved} pages moved")


# ---- looks at a running process ----

@test()
def diff_live():
    machine.quiet()
    target = Target(64)
    with lib.process(*lib.apart("mmlens"), "diff", "--pid", str(target.pid),
                     "--every", "1.5s", "--count", "2", "--each", "--json",
                     stdout=subprocess.PIPE) as reader:
        # The first look takes a fraction of the time to the second.
        time.sleep(0.7)
        target.must("write(range(12))")
        first = json.loads(read_document(reader.stdout))
        target.must("advise(0, 5, 4)")
        second = json.loads(read_document(reader.stdout))
        same(reader.wait(), 0, "status")
    same(of_region(first, target)["pages"], {"faulted_in": 12}, "first")
    same(of_region(second, target)["pages"], {"unmapped": 5}, "second")
    same((first["look"], second["look"]), (1, 2), "numbers")


def read_document(stream):
    """Lines up to the one that makes it whole."""
    text = b""
    for line in stream:
        text += line
        try:
            json.loads(text)
            return text
        except ValueError:
            pass
    raise lib.Failure(f"no document: {text[:1000]}")


@test()
def diff_live_of_one_that_exits():
    target = Target(64)
    with lib.process("mmlens", "diff", "--pid", str(target.pid), "--every",
                     "1", stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE) as reader:
        reader.stdout.readline()
        target.process.send_signal(signal.SIGKILL)
        target.process.wait()
        expect(reader.wait() in (1, 42), "status")
        said = reader.stderr.read().decode()
    expect(str(target.pid) in said, f"it says {said}")


@test()
def diff_refuses_what_it_cannot_compare():
    shell, python = machine.shell(), machine.python()
    one, other = snap("one.cap", shell), snap("other.cap", python)
    whole = snap("whole.cap", "--machine")
    both = snap("both.cap", shell, python)
    for arguments, status, said in (
            ([one, other], 1, "process"), ([one, whole], 1, whole),
            ([one, both], 1, "--pid"), ([one], 2, "captures"),
            ([one, "/etc/passwd"], 1, "/etc/passwd"),
            (["--pid", shell, one, other], 42, str(shell)),
            (["--every", "1"], 2, "--pid"),
            (["--pid", lib.free_pid(), "--every", "1"], 42, "no such")):
        done = lib.mmlens("diff", *arguments)
        text = done.stderr.decode()
        same(done.returncode, status, f"status of {arguments} ({text})")
        expect(said in text, f"{arguments}: {text}")
    lib.mmlens_ok("diff", "--pid", shell, one, both)
