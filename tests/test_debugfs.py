# SPDX-License-Identifier: GPL-2.0-only
"""The text in debugfs: from the same records, for the same callers."""
import collections
import contextlib
import errno
import os
import re
import subprocess

import cgroups
import lib
import machine
import pagemap
from lib import PAGE, expect, same, test
from test_zones import between, settles_soon

PLACE = "/sys/kernel/debug/mmlens"


def text_of(name, target=None):
    """A whole file; the target is written to the same open file."""
    descriptor = os.open(f"{PLACE}/{name}",
                         os.O_RDWR if target else os.O_RDONLY)
    try:
        if target:
            os.write(descriptor, target.encode())
        parts = []
        while True:
            data = os.read(descriptor, 1 << 16)
            if not data:
                return b"".join(parts).decode(errors="surrogateescape")
            parts.append(data)
    finally:
        os.close(descriptor)


def body(text, kind):
    """What stands between the version line and the trailer."""
    first, *lines = text.splitlines()
    same(first, f"mmlens 1 {kind}", "first line")
    return [line for line in lines if not line.startswith("#")]


# ---- LRU lists ----

class Line:
    """One of debugfs `lru`: a list."""

    PARTS = re.compile(r"memcg (\d+) node (\d+) (?:(\w+)|gen (\d+) (\w+) zone "
                       r"(\d+) age_ms (\d+)) pages (\d+)( offline)?(?: (.*))?")

    def __init__(self, line):
        match = self.PARTS.fullmatch(line)
        expect(match, f"{line!r} isn't a list")
        (self.memcg, self.node, self.seq, self.zone, self.age,
         self.pages) = (value and int(value) for value in
                        match.group(1, 2, 4, 6, 7, 8))
        self.name, self.type = match.group(3), match.group(5)
        self.offline, self.path = bool(match.group(9)), match.group(10)

    def kind(self):
        """What it has: anon, file or unevictable."""
        return self.type or self.name.split("_")[-1]


def lru_lines():
    return [Line(line) for line in body(text_of("lru"), "lru")]


FILLER = """
import ctypes, mmap, sys
memory = mmap.mmap(-1, 24 << 20)
for at in range(0, len(memory), 4096):
    memory[at] = 1
locked = mmap.mmap(-1, 4 << 20)
place = ctypes.addressof(ctypes.c_char.from_buffer(locked))
assert not ctypes.CDLL(None).mlock(ctypes.c_void_p(place), 4 << 20)
with open(sys.argv[1], "wb") as file:
    file.write(bytes(8 << 20))
open(sys.argv[1], "rb").read()
print("ready", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def filled_memcg(name):
    """One with pages of each kind, of a process that stands still."""
    machine.quiet()
    file = os.path.join(lib.directory(), name)
    with cgroups.memcg(name) as path:
        with lib.process("python3", "-c", FILLER, file,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         preexec_fn=lambda: cgroups.join(path)) as child:
            same(child.stdout.readline(), b"ready\n", "the filler says")
            # what waits at a CPU to be added to a list
            lib.write("/proc/sys/vm/drop_caches", 1)
            os.sync()
            yield path
        os.unlink(file)


def kernels_generations(path):
    """Pages by (node, sequence number, type): the kernel's lru_gen."""
    found, here, node = {}, False, None
    for line in lib.read("/sys/kernel/debug/lru_gen").splitlines():
        words = line.split()
        if words[0] == "memcg":
            here = words[2] == path
        elif words[0] == "node":
            node = int(words[1])
        elif here:
            for kind, pages in zip(("anon", "file"), words[2:]):
                if int(pages.rstrip("x")):
                    found[node, int(words[0]), kind] = int(pages)
    return found


# What a CPU may keep of a number of memory.stat (before 5.16).
BATCH = 64


@test()
def debugfs_lru_is_memory_stat():
    """Of a memcg, each list by the kernel's own count."""
    with filled_memcg("mmlens-lists") as path:
        ino, name = os.stat(path).st_ino, path[len(cgroups.ROOT):]

        def once():
            before, lists = cgroups.stat(path), lru_lines()
            lists = [line for line in lists if line.memcg == ino]
            same({(line.path, line.offline) for line in lists},
                 {(name, False)}, "path")
            for kind in "anon", "file", "unevictable":
                ours = sum(line.pages for line in lists
                           if line.kind() == kind)
                names = [kind] if kind == "unevictable" else [
                    f"active_{kind}", f"inactive_{kind}"]
                kernels = sum(before[n] for n in names) // PAGE
                expect(between(ours, kernels, kernels, BATCH),
                       f"{kind}: {ours} pages, {kernels}")
            for line in lists:
                kernels = before.get(line.name, 0) // PAGE
                expect(not line.name or
                       between(line.pages, kernels, kernels, BATCH),
                       f"{line.name}: {line.pages} pages, {kernels}")
            expect({"anon", "file", "unevictable"} ==
                   {line.kind() for line in lists}, "a kind is missing")
        settles_soon(once)


@test()
def debugfs_lru_is_lru_gen():
    """Of a memcg, each generation as the kernel has it."""
    if not os.path.exists("/sys/kernel/debug/lru_gen"):
        raise lib.Skip("this kernel has no generations")
    with filled_memcg("mmlens-generations") as path:
        ino, name = os.stat(path).st_ino, path[len(cgroups.ROOT):]

        def once():
            ours = collections.Counter()
            for line in lru_lines():
                if line.memcg == ino and line.type:
                    ours[line.node, line.seq, line.type] += line.pages
            same(dict(ours), kernels_generations(name), "generations")
        settles_soon(once)


@test()
def debugfs_lru_is_zoneinfo():
    """All lists of a node, within what wait at CPUs to be counted."""
    machine.quiet()

    def numbers():
        lib.write("/proc/sys/vm/stat_refresh", "1")
        text = lib.read("/proc/zoneinfo")
        return {key: sum(map(int, re.findall(rf" nr_{key} +(\d+)", text)))
                for key in ("inactive_anon", "active_anon", "inactive_file",
                            "active_file", "unevictable")}

    def once():
        before, lists, after = numbers(), lru_lines(), numbers()
        for kind in "anon", "file", "unevictable":
            ours = sum(line.pages for line in lists if line.kind() == kind)
            one, other = (sum(value for key, value in counts.items()
                              if key.endswith(kind))
                          for counts in (before, after))
            expect(between(ours, one, other, 64),
                   f"{kind}: {ours} pages, {one} and {other}")
    settles_soon(once)


def fails_with(error, action, *arguments):
    try:
        action(*arguments)
    except OSError as failed:
        same(errno.errorcode[failed.errno], errno.errorcode[error],
             f"error for {arguments}")
        return
    raise lib.Failure(f"{arguments} is accepted")


@test("version", "target", "maps", "smaps", "pte", "tables", "stats", "zones",
      "buddy", "ledger", "lru")
def debugfs_first_line(name):
    same(text_of(name).splitlines()[0], f"mmlens 1 {name}", "first line")


@test()
def debugfs_version():
    text = text_of("version")
    expect(os.uname().release in text, f"no release in {text!r}")


@test()
@lib.settles
def debugfs_smaps_add_up():
    """The lines below each VMA's add up to the kernel's own sum."""
    pid = machine.workload().pid
    sums = [line for line in body(text_of("smaps", f"{pid}"), "smaps")
            if line.startswith(" ")]
    for name, field in (("rss", "Rss"), ("anonymous", "Anonymous"),
                        ("private_dirty", "Private_Dirty")):
        match = re.search(rf"^{field}: +(\d+) kB",
                          lib.read(f"/proc/{pid}/smaps_rollup"), re.M)
        same(sum(int(re.search(rf" {name}=(\d+)", line).group(1))
                 for line in sums), int(match.group(1)), name)


@test()
def debugfs_tables_are_vmpte():
    pid = machine.workload().pid
    lines = body(text_of("tables", f"{pid}"), "tables")
    counted = [line for line in lines if not line.endswith(" uncounted")]
    vmpte = re.search(r"^VmPTE:\s+(\d+) kB",
                      lib.read(f"/proc/{pid}/status"), re.M)
    same(len(counted) * 4, int(vmpte.group(1)), "kB of page tables")


def parse_pte(line):
    match = re.match(r"([0-9a-f]+) (\w+) (\w+) raw=([0-9a-f]{16})"
                     r"(?: pfn=(\d+)| swap=(\d+):(\d+)|)", line)
    expect(match, f"{line!r} isn't an entry")
    va, level, state, raw, pfn, kind, offset = match.groups()
    return (int(va, 16), level, state, int(raw, 16), pfn and int(pfn),
            kind and (int(kind), int(offset)))


@test()
@lib.settles
def debugfs_pte_is_the_truth():
    """The same entries as the reader's, which are pagemap's."""
    workload = machine.workload()
    lines = body(text_of("pte", f"{workload.pid}"), "pte")
    entries = pagemap.entries_of(workload.pid)
    same(len(lines), len(entries), "entries")
    for line, entry in zip(lines, entries):
        swap = entry.get("swap")
        same(parse_pte(line),
             (entry["va"], entry["level"], entry["state"], entry["raw"],
              entry.get("pfn"), swap and (swap["type"], swap["offset"])),
             f"{line!r}")
        for flag in entry["flags"] | set(entry.get("marker", ())):
            expect(re.search(rf"[ ,]{flag}(,| |$)", line),
                   f"no {flag} in {line!r}")


@test()
def debugfs_range_against_pagemap():
    workload = machine.workload()
    start, end = workload.regions["every_third"][0]
    lines = body(text_of("pte", f"{workload.pid} {start:#x} {end:#x}"), "pte")
    known = pagemap.pagemap(workload.pid, start, (end - start) // PAGE)
    present = {start + i * PAGE: entry & pagemap.FRAME
               for i, entry in enumerate(known) if entry & pagemap.PRESENT}
    found = {entry[0]: entry[4] for entry in map(parse_pte, lines)}
    same(found, present, "frames")


@test()
def debugfs_maps():
    pid = machine.shell()
    lines = body(text_of("maps", str(pid)), "maps")
    vmas = pagemap.maps(pid)
    same([line.split()[:2] for line in lines],
         [[f"{v.start:08x}-{v.end:08x}", v.perms] for v in vmas], "mappings")
    for line, vma in zip(lines, vmas):
        expect(vma.name.decode() in line, f"no {vma.name} in {line!r}")


@test()
@lib.settles
def debugfs_target_is_the_default():
    """What is written to target counts where nothing else was said."""
    one, other = machine.shell(), machine.workload().pid
    lib.write(f"{PLACE}/target", f"{one}\n")
    expect(str(one) in text_of("target"), "target doesn't show it")
    by_default, own = text_of("pte"), text_of("pte", f"{other}")
    same(body(by_default, "pte"), body(text_of("pte", str(one)), "pte"),
         "entries of the default target")
    expect(body(own, "pte") != body(by_default, "pte"),
           "the file's own target doesn't count")
    start, end = machine.workload().regions["anon"][0]
    lib.write(f"{PLACE}/target", f"{other} {start:x} {end:x}")
    same(len(body(text_of("pte"), "pte")), (end - start) // PAGE, "entries")


@test()
def debugfs_shell_idiom():
    """As the documentation has it: one descriptor for both."""
    start, end = machine.workload().regions["anon"][0]
    done = lib.run("bash", "-c", f"exec 3<>{PLACE}/pte && "
                   f"echo {machine.workload().pid} {start:#x} {end:#x} >&3 && "
                   "cat <&3")
    same((done.returncode, done.stderr), (0, b""), "status")
    same(len(body(done.stdout.decode(), "pte")), (end - start) // PAGE,
         "entries")


@test()
@lib.settles
def debugfs_small_reads():
    """A byte at a time it is the same text."""
    start, end = machine.workload().regions["anon"][0]
    target = f"{machine.workload().pid} {start:#x} {end:#x}"
    descriptor = os.open(f"{PLACE}/pte", os.O_RDWR)
    os.write(descriptor, target.encode())
    text = b"".join(iter(lambda: os.read(descriptor, 7), b"")).decode()
    os.close(descriptor)
    same(body(text, "pte"), body(text_of("pte", target), "pte"), "entries")


BAD = ["", "x", "0", "-1", "1 2 3 4", "1 x", "1 1001", "1 1000 2001",
       "1 3000 2000", "1 ffff888000000000", "1 0 ffff888000000000",
       "99999999999", "1" * 100, "1\0002", "1 -1"]


@test("target", "maps", "pte")
def debugfs_bad_target(name):
    before = text_of("target")
    for text in BAD:
        descriptor = os.open(f"{PLACE}/{name}", os.O_RDWR)
        try:
            fails_with(errno.EINVAL, os.write, descriptor, text.encode() or
                       b" ")
        finally:
            os.close(descriptor)
    same(text_of("target"), before, "target after bad input")


@test()
def debugfs_gone_target():
    pid = lib.free_pid()
    for name in "maps", "pte":
        fails_with(errno.ESRCH, text_of, name, str(pid))
        fails_with(errno.ENXIO, text_of, name, str(lib.kernel_thread()))
        with lib.zombie() as dead:
            fails_with(errno.ENXIO, text_of, name, str(dead))


@test()
def debugfs_stats_count():
    """Walks are counted."""
    def walks():
        return {line.split()[0]: int(line.split()[1])
                for line in body(text_of("stats"), "stats")}
    before = walks()
    lib.mmlens_ok("pte", machine.shell())
    after = walks()
    expect(sum(after.values()) > sum(before.values()), f"{after}")


@test()
def debugfs_refuses_others():
    """Neither a user, nor root without the capability, nor by a descriptor."""
    for name in "version", "target", "maps", "pte", "stats":
        done = lib.in_nobody("cat", f"{PLACE}/{name}")
        same((done.returncode, done.stdout), (1, b""), f"cat {name}")
        done = lib.run("setpriv", "--bounding-set", "-sys_admin", "cat",
                       f"{PLACE}/{name}")
        same((done.returncode, done.stdout), (1, b""),
             f"cat {name} without CAP_SYS_ADMIN")
        with open(f"{PLACE}/{name}", "rb") as file:
            done = lib.in_nobody("cat", stdin=file)
        same((done.returncode, done.stdout), (1, b""),
             f"cat of a descriptor of {name}")
        done = lib.run("unshare", "-Ur", "cat", f"{PLACE}/{name}")
        same((done.returncode, done.stdout), (1, b""),
             f"cat {name} in a user namespace")
