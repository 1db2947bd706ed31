# SPDX-License-Identifier: GPL-2.0-only
"""The ledger: what zoneinfo, vmstat, meminfo and pagetypeinfo of the kernel
count, page by page."""
import collections
import ctypes
import glob
import json
import mmap
import os
import re

import lib
import machine
from lib import PAGE, expect, same, test
from test_buddy import cpu_counts, fragment, free_by_type_of
from test_zones import settles_soon

FREE = ("buddy", "kept")

# Pages that the reader has of its own while it looks.
READER = 1024


def ledger(*options):
    return json.loads(lib.observer_ok("ledger", "--json", *options))["zones"]


def by_zone(zones):
    return {(zone["node"], zone["zone"]): zone for zone in zones}


def zoneinfo():
    """Numbers by name of each zone, as /proc/zoneinfo has them."""
    found, zone = {}, None
    for line in lib.read("/proc/zoneinfo").splitlines():
        match = re.fullmatch(r"Node (\d+), zone +(\S+)", line)
        if match:
            zone = found[int(match[1]), match[2]] = {}
        match = re.fullmatch(r" +(?:pages )?(\w+) +(\d+)", line)
        if match:
            zone.setdefault(match[1], int(match[2]))
    return found


def counted():
    """The same when CPUs have handed in what they count by themselves: up to
    125 of each counter, and a zone's pages of a kind have two."""
    lib.write("/proc/sys/vm/stat_refresh", "1")
    return zoneinfo()


def totals(zones):
    sums = collections.Counter()
    for zone in zones:
        sums.update(zone["buckets"])
    return sums


@test()
def ledger_sums_are_what_is_present():
    machine.quiet()

    def once():
        zones = by_zone(ledger())
        kernels = zoneinfo()
        for key, zone in zones.items():
            same(zone["present"], kernels[key]["present"], f"{key}: present")
            same(zone["sum"], kernels[key]["present"], f"{key}: in buckets")
            same(sum(pages for bucket, pages in zone["buckets"].items()
                     if bucket != "hole"), zone["sum"], f"{key}: sum")
        same({key for key, zone in kernels.items() if zone.get("present")},
             set(zones), "zones")
    settles_soon(once)


@test()
def ledger_leaves_nothing_untold():
    machine.quiet()

    def once():
        for zone in ledger():
            name = f"node {zone['node']} {zone['zone']}"
            same(zone["untold"], [], f"{name}: untold")
            same(zone["buckets"]["untold"], 0, f"{name}: untold")
    settles_soon(once)


def near(value, before, after, slack, what):
    low, high = sorted((before, after))
    expect(low - slack <= value <= high + slack,
           f"{what}: {value}, {before} before and {after} after")


@test()
def ledger_counts_are_the_kernels():
    """Counters of CPUs come late, pages wait at them for their list, and the
    reader is there only while it looks."""
    machine.quiet()

    def once():
        before, zones, after = counted(), by_zone(ledger()), counted()
        slack = 128 * os.cpu_count() + READER
        for key, zone in zones.items():
            one, other, buckets = before[key], after[key], zone["buckets"]
            near(buckets["buddy"], one["free"], other["free"], slack,
                 f"{key}: free")
            for kind in "anon", "file":
                near(buckets[f"inactive_{kind}"] + buckets[f"active_{kind}"],
                     *(zone[f"nr_zone_inactive_{kind}"] +
                       zone[f"nr_zone_active_{kind}"]
                       for zone in (one, other)), slack, f"{key}: {kind}")
            near(buckets["unevictable"], one["nr_zone_unevictable"],
                 other["nr_zone_unevictable"], slack, f"{key}: unevictable")
    settles_soon(once)


@test()
def ledger_kept_pages_are_zoneinfos():
    machine.quiet()

    def once():
        before, zones, after = cpu_counts(), by_zone(ledger()), cpu_counts()
        for key, zone in zones.items():
            one, other = (sum(count for (*of, _), count in counts.items()
                              if tuple(of) == key)
                          for counts in (before, after))
            # The reader takes what it needs from there.
            near(zone["buckets"]["kept"], one, other, READER, f"{key}: kept")
    settles_soon(once)


def blocks_of(zones):
    """Ours as pagetypeinfo has them: {(node, zone, type): blocks by order}."""
    found = {}
    for (node, name), zone in zones.items():
        for free in zone["free"]:
            counts = found.setdefault((node, name, free["migratetype"]), {})
            counts[free["order"]] = free["pages"] >> free["order"]
    return found


@test()
def ledger_free_blocks_are_pagetypeinfos():
    """Before 6.10 a page that a CPU kept goes back to the list of the type that
    its page block had when it was freed; the block may be of another one now, and
    that is what we tell."""
    machine.quiet()

    def check(name, order, ours, one, other):
        """Of one zone: the types together, and each."""
        together = sum(one.values()), sum(other.values())
        near(sum(ours.values()), *together, 64, f"{name} order {order}")
        for kind in one:
            near(ours[kind], one[kind], other[kind],
                 64 + max(together) // 50, f"{name} {kind} order {order}")

    def once():
        before, ours, after = (free_by_type_of(), blocks_of(by_zone(ledger())),
                               free_by_type_of())
        same(set(before), set(after), "zones and types")
        for zone in {key[:2] for key in before}:
            keys = [key for key in before if key[:2] == zone]
            for order in range(len(before[keys[0]])):
                check(zone, order,
                      {key[2]: ours.get(key, {}).get(order, 0)
                       for key in keys},
                      {key[2]: before[key][order] for key in keys},
                      {key[2]: after[key][order] for key in keys})
    settles_soon(once)


@test()
def ledger_kernel_memory_is_the_kernels():
    """Of all zones together, as vmstat and meminfo count it."""
    machine.quiet()
    machine.pid_of_workload()

    def counts():
        vmstat = dict(line.split() for line in
                      lib.read("/proc/vmstat").splitlines())
        huge, free = 0, 0
        for path in glob.glob("/sys/kernel/mm/hugepages/*"):
            pages = int(re.search(r"(\d+)kB", path)[1]) * 1024 // PAGE
            huge += lib.read_number(f"{path}/nr_hugepages") * pages
            free += lib.read_number(f"{path}/free_hugepages") * pages
        return {"slab": int(vmstat["nr_slab_reclaimable"]) +
                int(vmstat["nr_slab_unreclaimable"]),
                "hugetlb": huge - free, "hugetlb_free": free,
                "table": int(vmstat["nr_page_table_pages"])}

    def once():
        before, sums, after = counts(), totals(ledger()), counts()
        for name in "hugetlb", "hugetlb_free":
            same(sums[name], after[name], name)
        near(sums["table"], before["table"], after["table"], 256, "table")
        # The counters have large kmalloc() allocations in them, which not all
        # kernels mark.
        slab = sums["slab"] + sums["kmalloc"]
        expect(slab <= max(before["slab"], after["slab"]) + 256,
               f"slab: {slab} pages, {before['slab']} by vmstat")
        expect(slab + sums["kernel"] >= min(before["slab"], after["slab"]),
               f"slab: {slab} pages, {before['slab']} by vmstat")
    settles_soon(once)


@test()
def ledger_finds_vmalloc():
    """Pages of vmallocinfo, which has those of stacks and modules; those that
    are percpu it doesn't count."""
    machine.quiet()

    def vmalloc():
        return sum(map(int, re.findall(r" pages=(\d+)\b",
                                       lib.read("/proc/vmallocinfo"))))

    def once():
        before, sums, after = vmalloc(), totals(ledger()), vmalloc()
        percpu = int(re.search(r"Percpu: +(\d+)",
                               lib.read("/proc/meminfo"))[1]) * 1024 // PAGE
        expect(min(before, after) - 256 <= sums["vmalloc"] <=
               max(before, after) + percpu + 256,
               f"vmalloc: {sums['vmalloc']}, {before} by vmallocinfo, and "
               f"{percpu} percpu")
    settles_soon(once)


def took(bucket, take, pages):
    """To take pages puts them into the bucket, to free them takes them out."""
    machine.quiet()
    before = totals(ledger())
    area = take(pages)
    inside = totals(ledger())
    area.close()
    after = totals(ledger())
    near(inside[bucket] - before[bucket], pages, pages, pages // 8, bucket)
    near(after[bucket], before[bucket], before[bucket], pages // 8, bucket)
    free = [sum(sums[name] for name in FREE)
            for sums in (before, inside, after)]
    near(free[0] - free[1], pages, pages, pages // 4, "no longer free")
    near(free[2], free[0], free[0], pages // 4, "free again")


def touched(pages, **options):
    area = mmap.mmap(-1, pages * PAGE, **options)
    area.madvise(mmap.MADV_NOHUGEPAGE)
    for page in range(pages):
        area[page * PAGE] = 1
    return area


def locked(pages):
    area = touched(pages, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    libc = ctypes.CDLL(None, use_errno=True)
    same(libc.mlock(ctypes.c_void_p(start), pages * PAGE), 0, "mlock")
    return area


@test()
def ledger_finds_memory_that_is_locked():
    settles_soon(lambda: took("unevictable", locked, 4096))


@test()
def ledger_finds_memory_that_is_freed():
    """Blocks of one page between others, more than a CPU gives back at once."""
    machine.quiet()

    def once():
        before = totals(ledger())
        with fragment(8192):
            inside = totals(ledger())
        free = [sum(sums[name] for name in FREE)
                for sums in (before, inside)]
        near(free[0] - free[1], 4096, 4096, 1024, "no longer free")
    settles_soon(once)


@test()
def ledger_text_says_the_same():
    machine.quiet()
    text = lib.observer_ok("ledger", "--free").decode()
    zones = ledger()
    heads = re.findall(r"^node (\d+), zone (\S+): (\d+) pages present, "
                       r"(\d+) in buckets$", text, re.M)
    same([(int(node), zone, int(present)) for node, zone, present, _ in heads],
         [(zone["node"], zone["zone"], zone["present"]) for zone in zones],
         "zones")
    expect(re.search(r"^ buddy +\d+ +\S+ +[\d.]+% free blocks$", text, re.M),
           text)
    expect(re.search(r"^   order +\d+ Movable +\d+$", text, re.M), text)
    expect(re.search(r"^longest lock hold \d+\.\d us", text, re.M), text)
    one = ledger("-n", "0", "-z", zones[0]["zone"])
    same([(zone["node"], zone["zone"]) for zone in one],
         [(0, zones[0]["zone"])], "one zone alone")


@test()
def ledger_map_shows_every_zone():
    machine.quiet()
    text = lib.observer_ok("ledger", "--map").decode()
    present = {key for key, zone in zoneinfo().items() if zone.get("present")}
    same({(int(node), zone) for node, zone in
          re.findall(r"^node (\d+), zone (\S+): ", text, re.M)}, present,
         "zones")
    cells = "".join(re.findall(r"^0x[0-9a-f]+ \[(.*)\]$", text, re.M))
    expect(cells.count(".") > 32 and "R" in cells, text)


@test()
def ledger_debugfs():
    machine.quiet()

    def once():
        zones = by_zone(ledger())
        text = lib.read("/sys/kernel/debug/mmlens/ledger")
        same(text.splitlines()[0], "mmlens 1 ledger", "first line")
        found, zone = {}, None
        for line in text.splitlines()[1:]:
            match = re.fullmatch(r"node (\d+) zone \d+ (\S+) present=(\d+) "
                                 r"sum=(\d+)", line)
            if match:
                zone = found[int(match[1]), match[2]] = {
                    "present": int(match[3]), "sum": int(match[4])}
            elif line.startswith(" "):
                name, pages = line.split()
                zone[name] = int(pages)
        kernels = zoneinfo()
        for key, zone in found.items():
            same(zone["present"], kernels[key]["present"], f"{key}: present")
            expect(zone["sum"] >= zone["present"], f"{key}: {zone}")
            expect(zone["sum"] - zone["present"] <= zone.get("reserved", 0),
                   f"{key}: more than holes")
            near(zone["buddy"], kernels[key]["free"], kernels[key]["free"],
                 1024, f"{key}: free")
        same(set(found), set(zones), "zones")
    settles_soon(once)
