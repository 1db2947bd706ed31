# SPDX-License-Identifier: GPL-2.0-only
"""Free blocks and page blocks: what buddyinfo, pagetypeinfo, zoneinfo and
kpageflags of the kernel say."""
import collections
import ctypes
import mmap
import os
import re
import subprocess
import time

import lib
import machine
import pagemap
import records
from lib import expect, same, test
from test_zones import between, exact, settles_soon

PAGE = mmap.PAGESIZE
KPF_BUDDY = 1 << 10
PFN_MASK = (1 << 55) - 1


def zone_names():
    return {(node["node"], zone["index"]): zone
            for node in records.zones() for zone in node["zones_of"]
            if zone["flags"] & records.ZONE_POPULATED}


def pagetypeinfo():
    """Free blocks by (node, zone, type), and page blocks by (node, zone)."""
    text = lib.read("/proc/pagetypeinfo")
    free = {(int(node), zone, kind): [int(v) for v in rest.split()]
            for node, zone, kind, rest in re.findall(
                r"^Node +(\d+), zone +(\S+), type +(\S+) (.*)", text, re.M)}
    blocks = {(int(node), zone): [int(v) for v in rest.split()]
              for node, zone, rest in re.findall(
                  r"^Node (\d+), zone +(\S+) +(\d.*)", text, re.M)}
    kinds = re.search(r"Number of blocks type +(.*)", text).group(1).split()
    return free, {name: dict(zip(kinds, values))
                  for name, values in blocks.items()}


def free_by_type_of():
    """Blocks by (node, zone, type), a number for each order: the kernel's."""
    return pagetypeinfo()[0]


def free_by_type(lists):
    """Blocks by (node, zone, type), a number for each order."""
    names, found = zone_names(), collections.defaultdict(dict)
    for free in lists:
        if free.cpu < 0:
            name = names[free.node, free.zone]["name"]
            found[free.node, name, free.type][free.order] = len(free.pfns)
    return {key: [orders[i] for i in range(len(orders))]
            for key, orders in found.items()}


@test()
def buddy_lists_are_exact():
    """A list that is as long in two looks was so in between, too."""
    machine.quiet()

    def once():
        with records.held():
            before, _ = pagetypeinfo()
            lists = records.free_lists()
            after, _ = pagetypeinfo()
        ours = free_by_type(lists)
        same(sorted(ours), sorted(before), "lists")
        for key, values in ours.items():
            exact(values, before[key], after[key], f"{key}: free blocks")
        expect(not any(free.cut for free in lists if free.cpu < 0), "cut")
    settles_soon(once)


def check_places(lists):
    """Aligned, in their zone, and no page on two lists."""
    names, blocks = zone_names(), []
    for free in lists:
        zone, size = names[free.node, free.zone], 1 << free.order
        for pfn in free.pfns:
            same(pfn % size, 0, f"{pfn:#x} of order {free.order}")
            expect(zone["start_pfn"] <= pfn and pfn + size <=
                   zone["start_pfn"] + zone["spanned"],
                   f"{pfn:#x} isn't in {zone['name']}")
        blocks.extend((pfn, pfn + size, free[:5]) for pfn in free.pfns)
    blocks.sort()
    for one, other in zip(blocks, blocks[1:]):
        expect(one[1] <= other[0], f"on two lists: {one} and {other}")


@test()
def buddy_blocks_are_disjoint_and_in_their_zones():
    machine.quiet()
    settles_soon(lambda: check_places(records.free_lists()))


@test()
def buddy_blocks_are_free_to_kpageflags():
    machine.quiet()

    def blocks():
        return {(pfn, free[:5]) for free in records.free_lists()
                for pfn in free.pfns}

    def once():
        before = blocks()
        frames = {pfn for pfn, _ in before}
        flags = pagemap.kpages("kpageflags", frames)
        counts = pagemap.kpages("kpagecount", frames)
        stayed = before & blocks()
        expect(len(stayed) > len(before) // 2, "all blocks have changed")
        for pfn, of in stayed:
            same(bool(flags[pfn] & KPF_BUDDY), of[2] < 0,
                 f"{of}: {pfn:#x} has flags {flags[pfn]:#x}")
            same(counts[pfn], 0, f"{pfn:#x}: mapcount")
    settles_soon(once)


@test()
def buddy_pages_are_nr_free_pages():
    """Within what the CPUs haven't handed over to the counter yet."""
    machine.quiet()

    def once():
        with records.held():
            before, lists = zone_names(), records.free_lists()
            after = zone_names()
        for key, zone in before.items():
            pages = sum(len(free.pfns) << free.order for free in lists
                        if free.cpu < 0 and (free.node, free.zone) == key)
            drift = sum(cpu["stat_threshold"] for cpu in zone["cpus"])
            expect(between(pages, zone["free"], after[key]["free"], drift),
                   f"{zone['name']}: {pages} pages, {zone['free']} free")
    settles_soon(once)


def cpu_counts():
    """Pages by (node, zone, CPU), as zoneinfo has them."""
    found, zone = {}, None
    for line in lib.read("/proc/zoneinfo").splitlines():
        match = re.fullmatch(r"Node (\d+), zone +(\S+)", line)
        if match:
            zone = int(match.group(1)), match.group(2)
        match = re.fullmatch(r" +cpu: (\d+)", line)
        if match:
            cpu = int(match.group(1))
        match = re.fullmatch(r" +count: +(\d+)", line)
        if match:
            found[(*zone, cpu)] = int(match.group(1))
    return found


def check_cpus_pages():
    """What CPUs keep, by (node, zone, CPU)."""
    names = zone_names()
    with records.held():
        before, lists = cpu_counts(), records.free_lists()
        after = cpu_counts()
    pages = collections.Counter()
    for free in lists:
        if free.cpu >= 0:
            expect(free.pfns, f"{free}: without a block")
            expect(not free.cut, f"{free[:5]}: cut")
            name = names[free.node, free.zone]["name"]
            pages[free.node, name, free.cpu] += len(free.pfns) << free.order
    same(len(set(before)), len(before), "CPUs")
    for key, count in before.items():
        # to read the file takes and frees a page
        expect(between(pages[key], count, after[key], 2),
               f"{key}: {pages[key]} pages, {count} and {after[key]}")
    check_places(lists)
    return pages


@test()
def buddy_cpus_pages_are_zoneinfos():
    machine.quiet()
    settles_soon(check_cpus_pages)


@test()
def buddy_long_lists_of_a_cpu():
    """Far more blocks than one hold of the lock takes."""
    machine.quiet()
    with fragment(30000):
        pages = settles_soon(check_cpus_pages)
    most = max(pages.values())
    if most < 2000:
        raise lib.Skip(f"this kernel keeps {most} pages at most")


@test()
def buddy_position_0_is_handed_out_next():
    """A process that takes pages gets those at the front of its CPU's list."""
    machine.quiet()
    os.sched_setaffinity(0, {0})

    def once():
        with mmap.mmap(-1, 24 * PAGE, flags=mmap.MAP_PRIVATE |
                       mmap.MAP_ANONYMOUS) as area:
            area[0] = 1         # its page table is there now
            lists = records.free_lists()
            for page in range(1, 17):
                area[page * PAGE] = 1
            start = ctypes.addressof(ctypes.c_char.from_buffer(area))
            got = [word & PFN_MASK for word in
                   pagemap.pagemap(os.getpid(), start + PAGE, 16)]
        front = []
        for free in lists:
            if (free.cpu, free.order, free.type) == (0, 0, "Movable"):
                front.extend(free.pfns[:64])
        expect(len(set(got) & set(front)) >= 12,
               f"got {got}, in front are {front}")
        places = [front.index(pfn) for pfn in got if pfn in front]
        same(places, sorted(places), "the order in which they came")
    settles_soon(once)


@test()
def buddy_pageblocks_are_exact():
    machine.quiet()

    def once():
        names = zone_names()
        _, before = pagetypeinfo()
        runs = records.pageblocks()
        _, after = pagetypeinfo()
        ours = collections.Counter()
        for run in runs:
            name = names[run.node, run.zone]["name"]
            ours[run.node, name, run.type] += run.count
        for key, kinds in before.items():
            for kind, count in kinds.items():
                if count == after[key][kind]:
                    same(ours[(*key, kind)], count, f"{key} {kind}")
    settles_soon(once)


@test()
def buddy_pagetypeinfo_is_the_kernels():
    machine.quiet()

    def once():
        before = lib.read("/proc/pagetypeinfo")
        ours = lib.observer_ok("pagetypeinfo").decode()
        after = lib.read("/proc/pagetypeinfo")
        same([re.sub(r" +[\d>]+", "", line) for line in ours.splitlines()],
             [re.sub(r" +[\d>]+", "", line) for line in before.splitlines()],
             "lines")
        for line, old, new in zip(*(text.splitlines() for text in
                                    (ours, before, after))):
            same(len(line), len(old), f"{line!r}: as long as {old!r}")
            for value, a, b in zip(line.split(), old.split(), new.split()):
                if value.isdigit():
                    expect(between(int(value), int(a), int(b), 512),
                           f"{line!r}: {old!r} before")
    settles_soon(once)


@test()
def buddy_command_counts_as_buddyinfo():
    machine.quiet()

    def once():
        def kernels():
            return {(int(node), zone): [int(v) for v in rest.split()]
                    for node, zone, rest in re.findall(
                        r"Node (\d+), zone +(\S+)(.*)",
                        lib.read("/proc/buddyinfo"))}
        before = kernels()
        ours = collections.defaultdict(lambda: collections.Counter())
        for free in lib.observe("buddy", "-l")["lists"]:
            same(len(free["pfns"]), free["blocks"], "PFNs")
            if "cpu" not in free:
                ours[free["node"], free["zone"]][free["order"]] += (
                    free["blocks"])
        after = kernels()
        for key, values in before.items():
            for order, value in enumerate(values):
                expect(between(ours[key][order], value, after[key][order],
                               512), f"{key} order {order}")
    settles_soon(once)


@test()
def buddy_debugfs():
    machine.quiet()

    def once():
        text = lib.read("/sys/kernel/debug/mmlens/buddy")
        names = zone_names()
        expect(text.startswith("mmlens 1 buddy\n"), text[:40])
        found = collections.Counter()
        for node, zone, cpu, pfns in re.findall(
                r"^node (\d+) zone (\d+)( cpu \d+)? order \d+ \S+ "
                r"position \d+:((?: [0-9a-f]+)*)", text, re.M):
            expect((int(node), int(zone)) in names, "no such zone")
            found[bool(cpu)] += len(pfns.split())
        blocks = sum(len(free.pfns) for free in records.free_lists()
                     if free.cpu < 0)
        expect(between(found[False], blocks, blocks, 512),
               f"{found[False]} blocks, {blocks} by ioctl")
    settles_soon(once)


def fragment(pages):
    """Take memory page by page and let go of each second one."""
    area = mmap.mmap(-1, pages * PAGE,
                     flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    area.madvise(mmap.MADV_NOHUGEPAGE)
    for page in range(pages):
        area[page * PAGE] = 1
    for page in range(0, pages, 2):
        area.madvise(mmap.MADV_DONTNEED, page * PAGE, PAGE)
    return area


@test()
def buddy_long_lists_are_whole():
    """Lists of far more blocks than one hold of the lock takes."""
    machine.quiet()
    free = sum(zone["free"] for zone in zone_names().values())
    with machine.short_cpu_lists(), fragment(min(free // 2, 60000)):
        buddy_lists_are_exact()
        buddy_blocks_are_disjoint_and_in_their_zones()
        lists = records.free_lists()
        longest = max(len(free.pfns) for free in lists if free.cpu < 0)
        expect(longest > 10000, f"the longest list has {longest} blocks")


@test()
def buddy_walks_while_memory_is_taken_and_freed():
    """No walk fails, hangs or tells of what isn't there."""
    names = zone_names()
    load = subprocess.Popen(
        ["stress-ng", "--quiet", "--vm", "1", "--vm-bytes", "40%", "--fork",
         "1", "--mmap", "1", "--mmap-bytes", "10%", "--timeout", "25"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lib.at_end(load.kill)
    until, walks, cut = time.monotonic() + 15, 0, 0
    while time.monotonic() < until:
        for free in records.free_lists():
            zone = names[free.node, free.zone]
            cut += bool(free.cut)
            for pfn in free.pfns:
                expect(pfn % (1 << free.order) == 0 and
                       zone["start_pfn"] <= pfn < zone["start_pfn"] +
                       zone["spanned"], f"{free[:5]}: {pfn:#x}")
        records.pageblocks()
        walks += 1
    load.terminate()
    load.wait()
    stats = lib.read("/sys/kernel/debug/mmlens/stats")
    expect(walks, "no walk came to its end")
    lib.note(f"{walks} walks, {cut} lists cut; {stats.splitlines()[-2]}")
