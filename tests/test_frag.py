# SPDX-License-Identifier: GPL-2.0-only
"""Fragmentation: extfrag's indices of the kernel, pages put in the way on
purpose, and whether the kernel can have the order once they are gone."""
import ctypes
import json
import mmap
import os
import re

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


class Sieve:
    """All free memory as small pages, of which one of each huge page is kept:
    then no free block is as large as a huge page."""

    def __init__(self):
        # Pages of a file are where huge pages could be had without asking.
        lib.write("/proc/sys/vm/drop_caches", "3")
        free = sum(int(kb) for kb in re.findall(
            r"^MemFree: +(\d+) kB", lib.read("/proc/meminfo"), re.M))
        self.pages = (free // 4 - 40000) // HUGE * HUGE
        self.area = mmap.mmap(-1, self.pages * PAGE, flags=mmap.MAP_PRIVATE |
                              mmap.MAP_ANONYMOUS)
        self.area.madvise(mmap.MADV_NOHUGEPAGE)
        self.start = address(self.area)
        for page in range(self.pages):
            self.area[page * PAGE] = 1
        found = frames(self.start, self.pages)
        self.kept = {}
        for page, pfn in enumerate(found):
            self.kept.setdefault(pfn // HUGE, page)
        spare = set(self.kept.values())
        at = 0
        for page in sorted(spare) + [self.pages]:
            if page > at:
                self.area.madvise(mmap.MADV_DONTNEED, at * PAGE,
                                  (page - at) * PAGE)
            at = page + 1

    def let_go(self, pfn):
        self.area.madvise(mmap.MADV_DONTNEED,
                          self.kept[pfn // HUGE] * PAGE, PAGE)

    def close(self):
        self.area.close()


def huge_pages():
    return lib.read_number(f"{machine.HUGETLB}/nr_hugepages")


def without_compaction(function):
    """The kernel isn't to help itself: an allocation that is refused was."""
    settings = {"/proc/sys/vm/compact_unevictable_allowed": "0",
                "/proc/sys/vm/extfrag_threshold": "1000"}
    old = {path: lib.read(path).strip() for path in settings}
    try:
        for path, value in settings.items():
            lib.write(path, value)
        with machine.short_cpu_lists():
            return function()
    finally:
        for path, value in old.items():
            lib.write(path, value)


def locked(area):
    libc = ctypes.CDLL(None, use_errno=True)
    same(libc.mlock(ctypes.c_void_p(address(area)), len(area)), 0, "mlock")


@test()
def frag_blockers_once_freed_let_the_order_be_had():
    """Each block has one page in the way, named with its process and address;
    when it is freed, the block is on the list of that order."""
    machine.quiet()

    def once():
        sieve = Sieve()
        try:
            # What can't be moved isn't.
            locked_pages = sieve.kept.values()
            expect(len(locked_pages) > 64, f"only {len(locked_pages)} blocks")
            check_sieve(sieve)
        finally:
            sieve.close()
    settles_soon(lambda: without_compaction(once))


def largest():
    """Free blocks of that order or larger, by the kernel."""
    return sum(int(count) << (order - ORDER)
               for _, rest in re.findall(r"^Node \d+, zone +(\S+) (.*)",
                                         lib.read("/proc/buddyinfo"), re.M)
               for order, count in enumerate(rest.split()) if order >= ORDER)


def check_sieve(sieve):
    wanted = 8
    # In the text, what is asked for is the order.
    candidates = frag("-o", ORDER, "-c", 4 * wanted, "-a")["candidates"]
    ours = [c for c in candidates
            if c["pfn"] // HUGE in sieve.kept and
            all(b.get("pid") == os.getpid() or b["obstacle"] == "kept"
                for b in c["blockers"])]
    expect(len(ours) >= wanted,
           f"{len(ours)} of {len(candidates)} candidates are of the sieve: "
           + str([(c["pfn"], c["pages"]) for c in candidates[:4]]))
    for candidate in ours:
        mine = [b for b in candidate["blockers"] if b["obstacle"] != "kept"]
        page = sieve.kept[candidate["pfn"] // HUGE]
        same(len(mine), 1, f"{candidate}: what stands in the way")
        same(int(mine[0]["va"], 16), sieve.start + page * PAGE, "its address")
        same(mine[0]["mappings"], 1, "who maps it")
        expect(mine[0]["obstacle"] in ("movable", "held"), f"{mine[0]}")
    before = largest()
    for candidate in ours:
        sieve.let_go(candidate["pfn"])
    gained = largest() - before
    expect(gained >= len(ours) * 3 // 4,
           f"{gained} blocks of order {ORDER} for {len(ours)} freed pages")
    had = huge_pages()
    try:
        lib.write(f"{machine.HUGETLB}/nr_hugepages",
                  str(had + len(ours) // 2))
        same(huge_pages(), had + len(ours) // 2, "huge pages to be had")
    finally:
        lib.write(f"{machine.HUGETLB}/nr_hugepages", str(had))


@test()
def frag_tells_what_stands_in_the_way():
    """A page each in a huge page's place: locked, of a file, pinned."""
    machine.quiet()
    pages = 16 * HUGE
    with mmap.mmap(-1, pages * PAGE, flags=mmap.MAP_PRIVATE |
                   mmap.MAP_ANONYMOUS) as area:
        area.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(pages):
            area[page * PAGE] = 1
        locked(area)
        found = set(frames(address(area), pages))
        total = sum(zone["present"] for zone in
                    lib.observe("ledger")["zones"]) // HUGE
        candidates = frag("-o", ORDER, "-a", "-c", min(1024, total)
                          )["candidates"]
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


@test()
def frag_errors():
    for arguments in (["-o", "21"], ["-o", "x"], ["-c", "3"], ["-a"],
                      ["-o", "9", "-c", "0"], ["-n", "-1"], ["9"]):
        done = lib.mmlens("frag", *arguments)
        same(done.returncode, 2, f"status of {arguments}")
        expect(done.stderr.startswith(b"mmlens"), f"{done.stderr}")
