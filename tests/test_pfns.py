# SPDX-License-Identifier: GPL-2.0-only
"""Every page frame: what kpageflags, kpagecount and kpagecgroup have, where
zoneinfo has it, and what pagetypeinfo says of its block.

The kernel's files are read before and after. What they agree on must be ours;
a page that changed in between says nothing.
"""
import array
import collections
import os
import re

import lib
import machine
import records
from lib import expect, note, same, test
from test_pages import BITS, all_are_ksm, bit

BLOCK = 1 << 17
ATTEMPTS = 3


def kernel_file(name):
    """All of it, by PFN."""
    found = array.array("Q")
    with open(f"/proc/{name}", "rb", buffering=0) as file:
        while data := os.pread(file.fileno(), BLOCK * 8, len(found) * 8):
            found.frombytes(data)
    return found


FILES = {"page_flags": "kpageflags", "mapcount": "kpagecount",
         "memcg": "kpagecgroup"}


def look():
    return {key: kernel_file(name) for key, name in FILES.items()}


class Wrong:
    """What differs, by kind; some of each."""

    def __init__(self):
        self.count = collections.Counter()
        self.some = collections.defaultdict(list)

    def add(self, what, why):
        self.count[what] += 1
        if len(self.some[what]) < 4:
            self.some[what].append(why)

    def __str__(self):
        return "\n".join(f"{self.count[what]} {what}: " + "; ".join(some)
                         for what, some in self.some.items())


def names_of(bits):
    return " ".join(name for name in BITS if bits & bit(name))


def hidden(run):
    """Bits that the kernel's file has of such pages and we don't say."""
    found = bit("ksm") if all_are_ksm() else 0
    if run.kind == records.KIND_MAYBE_HUGE_ZERO:
        found |= bit("zero_page") | bit("thp")
    return found


def compare_run(run, before, after, wrong):
    """How many of its pages stood still between the looks."""
    still = 0
    slices = {key: (before[key][run.pfn:run.pfn + run.count],
                    after[key][run.pfn:run.pfn + run.count])
              for key in FILES}
    for key, (old, new) in slices.items():
        value = getattr(run, key) & (1 << 64) - 1
        same(len(old), run.count, f"PFNs up to {run.pfn + run.count:#x}")
        # Most are the same from end to end, and as fast compared as that.
        if old == new == array.array("Q", [value]) * run.count:
            still += run.count
            continue
        ignore = hidden(run) if key == "page_flags" else 0
        for at, (one, other) in enumerate(zip(old, new)):
            if one != other:
                continue
            still += 1
            if (one ^ value) & ~ignore:
                said = names_of(one ^ value) if key == "page_flags" else \
                    f"{value}, the kernel {one}"
                wrong.add(key, f"PFN {run.pfn + at:#x} of {run}: {said}")
    return still // len(FILES)


def check_gaps(runs, flags, wrong):
    """Where there is no page the kernel says so, or nothing."""
    at = 0
    for run in runs + [records.Pfns(*[0] * len(records.Pfns._fields))._replace(pfn=len(flags))]:
        gap = flags[at:run.pfn]
        for value in set(gap):
            if value not in (0, bit("nopage")):
                wrong.add("gap", f"PFN {at:#x} to {run.pfn:#x}: "
                                 f"{names_of(value)}")
        at = run.pfn + run.count


def compare_all():
    before = look()
    runs = list(records.pages())
    after = look()
    wrong = Wrong()
    end = still = 0
    for run in runs:
        expect(run.pfn >= end and run.count, f"not in order: {run}")
        end = run.pfn + run.count
        still += compare_run(run, before, after, wrong)
    check_gaps(runs, after["page_flags"], wrong)
    return runs, still, wrong


@test()
def pfns_are_the_kernels():
    """All of them, with pages of every kind among them."""
    machine.workload()
    for _ in range(ATTEMPTS):
        runs, still, wrong = compare_all()
        if not wrong.count:
            break
    expect(not wrong.count, str(wrong))
    pages = sum(run.count for run in runs)
    expect(still > pages * 9 // 10, f"{still} of {pages} stood still")
    seen = 0
    for run in runs:
        seen |= run.page_flags
    for name in ("buddy slab pgtable reserved mmap anonymous lru huge thp "
                 "zero_page compound_head compound_tail ksm").split():
        expect(seen & bit(name) or name == "zero_page",
               f"no page is {name}")
    note(f"{pages} pages in {len(runs)} runs, {still} stood still")


@test()
def pfns_kinds_are_the_flags():
    """Where a flag tells the same as the kind."""
    kinds = {records.KIND_BUDDY: "buddy", records.KIND_OFFLINE: "offline",
             records.KIND_TABLE: "pgtable", records.KIND_HUGETLB: "huge",
             records.KIND_SLAB: "slab"}
    for run in records.pages():
        if run.kind in kinds:
            # a tail of a compound one hasn't each flag in each series
            expect(run.page_flags & bit(kinds[run.kind]) or
                   run.page_flags & bit("compound_tail"), str(run))
        for kind, name in kinds.items():
            if run.page_flags & bit(name):
                same(run.kind, kind, f"kind of {run}")


@test()
def pfns_free_blocks_are_buddyinfos():
    """Blocks by order: as many as there are in the free lists."""
    machine.quiet()

    def listed():
        return [sum(values) for values in zip(*(
            map(int, line.split()[4:])
            for line in lib.read("/proc/buddyinfo").splitlines()))]

    def once():
        before = listed()
        pages = collections.Counter()
        for run in records.pages():
            if run.kind == records.KIND_BUDDY:
                expect(not run.refcount and not run.mapcount and
                       run.folio_index < 1 << run.order, str(run))
                pages[run.order] += run.count
        after = listed()
        for order, (one, other) in enumerate(zip(before, after)):
            blocks = pages[order] / (1 << order)
            slack = 64 if order < 5 else 4
            expect(min(one, other) - slack <= blocks <=
                   max(one, other) + slack,
                   f"order {order}: {blocks} blocks, {one} and {other}")
    lib.settles(once)()


def spans():
    """Node, name, index and PFNs of each zone that has pages."""
    found = []
    for node in records.zones():
        for zone in node["zones_of"]:
            if zone["flags"] & records.ZONE_POPULATED:
                first = zone["start_pfn"]
                found.append((node["node"], zone["name"], zone["index"],
                              range(first, first + zone["spanned"])))
    return found


@test()
def pfns_are_where_zoneinfo_has_them():
    present = collections.Counter()
    zones = spans()
    for run in records.pages():
        for node, _, zone, frames in zones:
            if (node, zone) == (run.node, run.zone):
                break
        else:
            expect(run.page_flags & bit("reserved"), f"no zone has {run}")
            continue
        inside = run.pfn in frames and run.pfn + run.count - 1 in frames
        # The memmap goes beyond a zone's end; nothing is in it there.
        expect(inside or run.page_flags & bit("reserved"),
               f"{run} isn't in {frames}")
        if run.page_flags & bit("lru") or run.kind:
            present[node, zone] += run.count
    for node, name, zone, frames in zones:
        expect(present[node, zone] or name == "DMA",
               f"nothing in node {node} zone {name}")


MIGRATETYPES = {"Unmovable": 0, "Movable": 1, "Reclaimable": 2,
                "HighAtomic": 3, "CMA": 4, "Isolate": 5}


def pagetypeinfo():
    """Pages of a block; blocks of each type by node and zone."""
    text = lib.read("/proc/pagetypeinfo")
    per_block = int(re.search(r"Pages per block: +(\d+)", text).group(1))
    head, *lines = text[text.index("Number of blocks type"):].splitlines()
    types = head.split("type")[1].split()
    found = {}
    for line in lines:
        match = re.match(r"Node (\d+), zone +(\S+) +([\d ]+)$", line)
        if match:
            counts = map(int, match.group(3).split())
            found[int(match.group(1)), match.group(2)] = dict(
                zip(types, counts))
    return per_block, found


@test()
def pfns_blocks_are_pagetypeinfos():
    """Counted as the kernel counts them: by the first page of each block
    inside of the zone that is of it."""
    def once():
        per_block, wanted = pagetypeinfo()
        zones = {(node, zone): (name, frames)
                 for node, name, zone, frames in spans()}
        found = collections.defaultdict(collections.Counter)
        for run in records.pages():
            name, frames = zones.get((run.node, run.zone), (None, None))
            if not name:
                continue
            first = max(run.pfn, frames.start)
            end = min(run.pfn + run.count, frames.stop)
            at = first if first == frames.start else \
                -(-first // per_block) * per_block
            while at < end:
                found[run.node, name][run.migratetype] += 1
                at = (at // per_block + 1) * per_block
        for place, types in wanted.items():
            same({name: found[place][MIGRATETYPES[name]] for name in types},
                 types, f"blocks of {place}")
    lib.settles(once)()


@test()
def pfns_ranges_are_what_was_asked():
    """A part is the part of the whole, to the page."""
    runs = list(records.pages())
    last = runs[-1].pfn + runs[-1].count
    some = runs[len(runs) // 2]
    for start, end in ((0, 1), (1, 2), (some.pfn, some.pfn + some.count),
                       (some.pfn + some.count - 1, some.pfn + 5000),
                       (last - 1, last), (last - 1, 0)):
        part = list(records.pages(start, end))
        expect(part[0].pfn == start, f"{start:#x} begins with {part[0]}")
        total = sum(run.count for run in part)
        same(total, (end or last) - start, f"pages of {start:#x}-{end:#x}")
    for start, end in ((last, 0), (last, last + 5), (7, 7),
                       ((1 << 64) - 2, (1 << 64) - 1), (1 << 52, 0)):
        same(list(records.pages(start, end)), [], f"{start:#x}-{end:#x}")
