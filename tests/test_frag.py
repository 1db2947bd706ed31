# SPDX-License-Identifier: GPL-2.0-only
"""Fragmentation: extfrag's indices of the kernel, pages put in the way on
purpose, and whether the kernel can have the order once they are gone."""
import contextlib
import ctypes
import glob
import json
import mmap
import os
import re
import subprocess
import time

import lib
import machine
import pagemap
from lib import PAGE, expect, same, test
from test_zones import settles_soon

EXTFRAG = "/sys/kernel/debug/extfrag"
HUGE = 512
ORDER = 9


def frag(*options):
    return json.loads(lib.observer_ok("frag", "--json", *options))


def kernels(name):
    """Thousandths by (node, zone), for each order; of zones with memory."""
    return {(int(node), zone): [round(float(index) * 1000)
                                for index in rest.split()]
            for node, zone, rest in re.findall(
                r"^Node (\d+), zone +(\S+) (.*)", lib.read(f"{EXTFRAG}/{name}"),
                re.M)}


@test()
def frag_indices_are_the_kernels():
    if not os.path.isdir(EXTFRAG):
        raise lib.Skip("this kernel has no extfrag in debugfs")
    machine.quiet()
    names = ("extfrag_index", "unusable_index")

    def once():
        before = {name: kernels(name) for name in names}
        ours = {(zone["node"], zone["zone"]): zone["orders"]
                for zone in frag()["zones"]}
        after = {name: kernels(name) for name in names}
        for name in names:
            same(set(ours), set(before[name]), "zones")
            for key, orders in ours.items():
                for of in orders:
                    one, other = (look[name][key][of["order"]]
                                  for look in (before, after))
                    expect(one != other or of[name] == one,
                           f"{key} order {of['order']}: {name} {of[name]} "
                           f"instead of {one}")
    settles_soon(once)


@test()
def frag_text_says_the_same():
    machine.quiet()
    text = lib.observer_ok("frag", "-o", 9, "-c", 2).decode()
    zones = frag("-o", 9, "-c", 2)["zones"]
    same([(int(node), zone) for node, zone in
          re.findall(r"^node (\d+), zone (\S+): \d+ pages free$", text, re.M)],
         [(zone["node"], zone["zone"]) for zone in zones], "zones")
    same([[of["order"] for of in zone["orders"]] for zone in zones],
         [[9]] * len(zones), "orders")
    same(len(re.findall(r"^ +9 +2\.0M +\d+ +-?\d\.\d{3} +\d\.\d{3} \S", text,
                        re.M)), len(zones), "lines of that order")
    same(len(re.findall(r"^\d\. PFN 0x[0-9a-f]+-0x[0-9a-f]+, node \d", text,
                        re.M)), 2, "candidates")
    expect(re.search(r"^longest lock hold \d+\.\d us", text, re.M), text)


def frames(start, pages):
    return [word & pagemap.FRAME
            for word in pagemap.pagemap(os.getpid(), start, pages)]


def address(area):
    return ctypes.addressof(ctypes.c_char.from_buffer(area))


def syscall(*arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.syscall(*(ctypes.c_long(value) for value in arguments))
    expect(done == 0, f"{arguments}: {os.strerror(ctypes.get_errno())}")


MAP_POPULATE = 0x8000           # Python has it from 3.10 on
SET_MEMPOLICY, MPOL_DEFAULT, MPOL_BIND = 238, 0, 2
MLOCK2, MUNLOCK, MLOCK_ONFAULT = 325, 150, 1


@contextlib.contextmanager
def bound_to(node):
    mask = ctypes.c_ulong(1 << node)
    syscall(SET_MEMPOLICY, MPOL_BIND, ctypes.addressof(mask), 64)
    try:
        yield
    finally:
        syscall(SET_MEMPOLICY, MPOL_DEFAULT, 0, 0)


class Sieve:
    """All free memory of a node as small pages, of which one of each huge page
    is kept, locked, where compaction leaves what is locked."""

    def __init__(self, node):
        meminfo = lib.read(f"/sys/devices/system/node/node{node}/meminfo")
        free = int(re.search(r"MemFree: +(\d+) kB", meminfo)[1]) // 4
        self.pages = (free - 30000) // HUGE * HUGE
        self.area = mmap.mmap(-1, self.pages * PAGE, flags=mmap.MAP_PRIVATE |
                              mmap.MAP_ANONYMOUS | MAP_POPULATE)
        self.start = address(self.area)
        self.kept = {pfn // HUGE: page for page, pfn in
                     enumerate(frames(self.start, self.pages))}
        at = 0
        for page in sorted(self.kept.values()) + [self.pages]:
            if page > at:
                self.area.madvise(mmap.MADV_DONTNEED, at * PAGE,
                                  (page - at) * PAGE)
            at = page + 1
        syscall(MLOCK2, self.start, self.pages * PAGE, MLOCK_ONFAULT)

    def let_go(self, pfn):
        page = self.kept[pfn // HUGE]
        syscall(MUNLOCK, self.start + page * PAGE, PAGE)
        self.area.madvise(mmap.MADV_DONTNEED, page * PAGE, PAGE)

    def close(self):
        self.area.close()


class HugePages:
    """Of one node. The kernel gives as many as it has."""

    def __init__(self, node):
        self.path = (f"/sys/devices/system/node/node{node}/hugepages/"
                     "hugepages-2048kB/nr_hugepages")
        self.had = self.count()

    def count(self):
        return lib.read_number(self.path)

    def ask(self, count):
        lib.write(self.path, count)
        return self.count()

    def take_all(self):
        """What there is, also after reclaim."""
        had, got = -1, self.count()
        while got > had:
            had, got = got, self.ask(100000)
        return got


@contextlib.contextmanager
def setting(path, value):
    old = lib.read(path).strip()
    lib.write(path, value)
    try:
        yield
    finally:
        lib.write(path, old)


@test(asked_for=True)
def pressure_blockers_once_freed_let_the_order_be_had():
    """Each block has one page in the way, named with its process and address.
    No huge page can be had; when those pages are freed, as many can. To have
    none left takes reclaim, which other tests would notice."""
    machine.quiet()
    node = len(glob.glob("/sys/devices/system/node/node[0-9]*")) - 1
    huge = HugePages(node)
    lib.write("/proc/sys/vm/drop_caches", "3")
    with machine.short_cpu_lists(), bound_to(node), \
            setting("/proc/sys/vm/compact_unevictable_allowed", "0"):
        sieve = Sieve(node)
        try:
            # What is left in whole.
            most = huge.take_all()
            same(huge.ask(most + 8), most, "no more huge pages")
            check_sieve(node, sieve, huge, most)
        finally:
            sieve.close()
            huge.ask(huge.had)


def stays(blocker):
    """Not what a CPU keeps, nor what was the reader's own."""
    return blocker["obstacle"] != "kept" and (
        "pid" not in blocker or os.path.exists(f"/proc/{blocker['pid']}"))


def check_sieve(node, sieve, huge, most):
    wanted = 8
    candidates = frag("-n", node, "-o", ORDER, "-c", 4 * wanted,
                      "-a")["candidates"]
    same(len(candidates), 4 * wanted, "candidates")
    ours = []
    for candidate in candidates:
        same(candidate["node"], node, "node")
        staying = [b for b in candidate["blockers"] if stays(b)]
        mine = [b for b in staying if b.get("pid") == os.getpid()]
        expect(candidate["pfn"] // HUGE in sieve.kept,
               f"{candidate['pfn']:#x} isn't of the sieve: {staying}")
        page = sieve.kept[candidate["pfn"] // HUGE]
        same([(b["pages"], b["obstacle"], b["bucket"], b["va"], b["mappings"])
              for b in mine],
             [(1, "mlocked", "unevictable",
               f"{sieve.start + page * PAGE:#x}", 1)],
             f"{candidate['pfn']:#x}: what stands in the way")
        # A page of a file may have been read in between.
        if staying == mine:
            ours.append(candidate)
    expect(len(ours) >= wanted, f"{len(ours)} are of the sieve alone")
    candidates = ours[:wanted]
    for candidate in candidates:
        sieve.let_go(candidate["pfn"])
    got, until = 0, time.monotonic() + 10
    while got < wanted - 2 and time.monotonic() < until:
        # What was unlocked waits at its CPU, with a reference.
        lib.write("/proc/sys/vm/drop_caches", "1")
        got = huge.ask(most + wanted) - most
    expect(got >= wanted - 2, f"{got} huge pages of {wanted} freed blocks")


def locked(area):
    libc = ctypes.CDLL(None, use_errno=True)
    same(libc.mlock(ctypes.c_void_p(address(area)), len(area)), 0, "mlock")


def candidates_of(most):
    """With all that stands in the way. It takes much memory to read many."""
    return frag("-o", ORDER, "-a", "-c", most)["candidates"]


@test()
def frag_tells_what_stands_in_the_way():
    """Pages that are locked; of each block, all that stands in the way."""
    machine.quiet()
    pages = 16 * HUGE
    with mmap.mmap(-1, pages * PAGE, flags=mmap.MAP_PRIVATE |
                   mmap.MAP_ANONYMOUS) as area:
        area.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(pages):
            area[page * PAGE] = 1
        locked(area)
        candidates = candidates_of(512)
        found = set(frames(address(area), pages))
        blockers = [b for c in candidates for b in c["blockers"]
                    if b["pfn"] in found]
        expect(blockers, "none of the locked pages stands in the way")
        for blocker in blockers:
            same(blocker["obstacle"], "mlocked", f"{blocker}")
            same(blocker["bucket"], "unevictable", f"{blocker}")
            same(blocker["pid"], os.getpid(), f"{blocker}")
        for candidate in candidates:
            same(candidate["free"] + sum(candidate["pages"].values()), HUGE,
                 f"{candidate['pfn']:#x}: pages")
            same(sum(b["pages"] for b in candidate["blockers"]),
                 HUGE - candidate["free"], f"{candidate['pfn']:#x}: blockers")


IO_URING_SETUP, IO_URING_REGISTER, VMSPLICE = 425, 427, 278


@contextlib.contextmanager
def pinned(area, pages):
    """By a ring's registered buffers, as for DMA."""
    libc = ctypes.CDLL(None, use_errno=True)
    parameters = ctypes.create_string_buffer(120)
    ring = libc.syscall(IO_URING_SETUP, 4, parameters)
    if ring < 0:
        raise lib.Skip("io_uring: " + os.strerror(ctypes.get_errno()))
    try:
        iovec = (ctypes.c_ulong * 2)(address(area), pages * PAGE)
        done = libc.syscall(IO_URING_REGISTER, ring, 0, iovec, 1)
        expect(done == 0, os.strerror(ctypes.get_errno()))
        yield
    finally:
        os.close(ring)


@contextlib.contextmanager
def held(area, pages):
    """By a pipe that they were spliced into."""
    libc = ctypes.CDLL(None, use_errno=True)
    ends = os.pipe()
    try:
        iovec = (ctypes.c_ulong * 2)(address(area), pages * PAGE)
        done = libc.syscall(VMSPLICE, ends[1], iovec, 1, 0)
        same(done, pages * PAGE, "bytes spliced")
        yield
    finally:
        for end in ends:
            os.close(end)


@test("pinned", "held", asked_for=True)
def pressure_tells_who_holds_pages(how):
    machine.quiet()
    pages = 16
    with mmap.mmap(-1, pages * PAGE, flags=mmap.MAP_PRIVATE |
                   mmap.MAP_ANONYMOUS) as area:
        area.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(pages):
            area[page * PAGE] = 1
        with {"pinned": pinned, "held": held}[how](area, pages):
            # The same by pfn: what is held shows in the reference count.
            for pfn in frames(address(area), pages):
                card = lib.observe("pfn", pfn)["frames"][0]
                extra = card["refcount"] - card["mapcount"]
                expect(extra >= (1024 if how == "pinned" else 1), f"{card}")
                same([user["pid"] for user in card["users"]], [os.getpid()],
                     f"who maps {pfn:#x}")
            found = set(frames(address(area), pages))
            blockers = [b for c in candidates_of(100000) for b in c["blockers"]
                        if b["pfn"] in found]
        expect(blockers, f"none of the {how} pages stands in the way")
        for blocker in blockers:
            same(blocker["obstacle"], how, f"{blocker}")
            same(blocker["pid"], os.getpid(), f"{blocker}")


@test(asked_for=True)
def pressure_views_come_to_their_end():
    """Of all physical memory, while it is taken, freed, forked, mapped and
    migrated. Compaction moves others' pages, too."""
    load = subprocess.Popen(
        ["stress-ng", "--quiet", "--vm", "1", "--vm-bytes", "30%", "--fork",
         "1", "--mmap", "1", "--mmap-bytes", "10%", "--migrate", "1",
         "--timeout", "60"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    lib.at_end(load.kill)
    commands = (["frag", "-o", "9"], ["ledger"], ["pageblocks"], ["zones"],
                ["buddy", "-l"], ["page-types"], ["kmap"],
                ["pfn", "--who", "0+0x10000"], ["pfn", "0x1000", "0x8000"])
    until, turns = time.monotonic() + 25, 0
    while time.monotonic() < until:
        for command in commands:
            lib.observer_ok(*command)
        turns += 1
    load.terminate()
    load.wait()
    expect(turns, "no turn came to its end")
    stats = [line.split() for line in
             lib.read("/sys/kernel/debug/mmlens/stats").splitlines()[2:]]
    lib.note(f"{turns} turns; longest holds in us: " + ", ".join(
        f"{line[0]} {int(line[-1]) // 1000}" for line in stats))


@test()
def frag_errors():
    for arguments in (["-o", "21"], ["-o", "x"], ["-c", "3"], ["-a"],
                      ["-o", "9", "-c", "0"], ["-n", "-1"], ["9"]):
        done = lib.mmlens("frag", *arguments)
        same(done.returncode, 2, f"status of {arguments}")
        expect(done.stderr.startswith(b"mmlens"), f"{done.stderr}")
