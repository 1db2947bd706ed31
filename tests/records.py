# SPDX-License-Identifier: GPL-2.0-only
"""The module's records without the library: for what no command shows whole."""
import array
import collections
import contextlib
import fcntl
import os
import struct

import lib
from lib import expect

(VMAS, PTES, VTOP, SMAPS, NUMA_MAPS, TABLES, PROCS, ZONES, FREE,
 PAGEBLOCKS, PAGES, USERS, KMAP, LRU) = range(1, 15)
WALK_STATE, WALK_TOTAL, WALK_BACKING = 1 << 3, 1 << 4, 1 << 5
WALK_USER_HALF, WALK_LEVELS = 1 << 6, 1 << 7
WALK_FOLIOS = 1 << 9
(REC_VMA, REC_NAME, REC_PTE, REC_HOLE, REC_LEVEL, REC_SMAPS, REC_RUN,
 REC_PAGE, REC_NUMA, REC_NODE, REC_TABLE, REC_PROC, REC_MEMNODE, REC_ZONE,
 REC_COUNTERS, REC_PAGESET, REC_BLOCKS, REC_PAGEBLOCKS, REC_PFNS,
 REC_USER, REC_BACKING, REC_REGION, REC_KMAP, REC_LRU) = range(1, 25)
STATUS_DONE = 1

# struct mmlens_walk
WALK = struct.Struct("=IIiI8QIIQ")
BUFFER_SIZE = 256 << 10

LEVELS = ("", "pte", "pmd", "pud", "p4d", "pgd")

Record = collections.namedtuple("Record", "type level body")


def request(number):
    return 3 << 30 | WALK.size << 16 | 0xb7 << 8 | number


@contextlib.contextmanager
def device():
    """Closed afterwards: other tests unload the module."""
    descriptor = os.open(lib.DEVICE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def taken():
    """What a walk needs: a descriptor and a buffer."""
    with device() as descriptor:
        yield descriptor, array.array("Q", bytes(BUFFER_SIZE))


HELD = []


@contextlib.contextmanager
def held():
    """The walks inside take no memory for what they need."""
    with taken() as needs:
        HELD.append(needs)
        try:
            yield
        finally:
            HELD.pop()


def walk(number, pid, flags=0, start=0, end=0):
    """All records of a walk, whatever number of calls it takes."""
    with contextlib.nullcontext(HELD[-1]) if HELD else taken() as needs:
        yield from walk_on(*needs, number, pid, flags, start, end)


def walk_on(*arguments):
    for data, _ in calls_on(*arguments):
        yield from parse(data)


def calls_on(descriptor, buffer, number, pid, flags, start, end):
    """What each call wrote, and the longest time that it held a lock, in ns."""
    where = buffer.buffer_info()[0]
    cursor = generation = status = 0
    while not status & STATUS_DONE:
        arguments = bytearray(WALK.pack(
            WALK.size, flags, pid, 0, start, end, cursor, generation, where,
            BUFFER_SIZE, 0, 0, 0, 0, 0))
        fcntl.ioctl(descriptor, request(number), arguments)
        (_, _, _, status, _, _, cursor, generation, _, _, written, _, _, _,
         hold) = WALK.unpack(arguments)
        yield memoryview(buffer).cast("B")[:written].tobytes(), hold


def parse(data):
    at = 0
    while at < len(data):
        size, kind, level = struct.unpack_from("=HBB", data, at)
        expect(size >= 8 and at + size <= len(data), f"a record of {size}")
        yield Record(kind, LEVELS[level], data[at:at + size])
        at += size


Table = collections.namedtuple("Table", "level flags va pfn node entries used")
TABLE_DEPOSITED, TABLE_SHARED, TABLE_UNCOUNTED = 1, 2, 4


def tables(pid):
    """Every page-table page of a process."""
    return [Table(r.level, *struct.unpack_from("=IQQIHH", r.body, 4))
            for r in walk(TABLES, pid)]


Proc = collections.namedtuple(
    "Proc", "flags pid ppid uid threads start vsize rss_anon rss_file "
    "rss_shmem swap tables comm sums")
PROC_KTHREAD, PROC_NO_MM, PROC_RACED = 1, 2, 4
SUMS = ("rss pss pss_anon pss_file pss_shmem pss_dirty pss_locked "
        "shared_clean shared_dirty private_clean private_dirty referenced "
        "anonymous ksm lazyfree anon_huge shmem_huge file_huge "
        "shared_hugetlb private_hugetlb swap swap_anon").split()


def procs():
    """Every process, with its sums."""
    found = []
    for record in walk(PROCS, 0, WALK_TOTAL):
        if record.type == REC_PROC:
            *numbers, comm = struct.unpack_from("=IiiII7Q16s", record.body, 4)
            found.append(Proc(*numbers, comm.rstrip(b"\0"), None))
        elif record.type == REC_SMAPS:
            values = struct.unpack_from(f"={len(SUMS)}Q", record.body, 8)
            found[-1] = found[-1]._replace(sums=dict(zip(SUMS, values)))
    return found


NODE_KEYS = ("flags node zones kswapd_order kswapd_zone kswapd_failures "
             "reserved start_pfn spanned present").split()
ZONE_KEYS = ("flags node index start_pfn spanned present managed cma free "
             "boost min low high promo highatomic highatomic_free "
             "name").split()
PAGESET_KEYS = ("cpu count high batch high_min high_max "
                "stat_threshold").split()
COUNTERS = {1: "node", 2: "stats", 3: "numa", 4: "reserve", 5: "free_blocks"}
ZONE_POPULATED = 1


def zones():
    """Nodes with their zones: members, counters by kind, CPUs' parts."""
    nodes = []
    for record in walk(ZONES, 0):
        body = record.body
        if record.type == REC_MEMNODE:
            node = dict(zip(NODE_KEYS,
                            struct.unpack_from("=7I3Q", body, 4)))
            nodes.append({**node, "zones_of": []})
        elif record.type == REC_ZONE:
            zone = dict(zip(ZONE_KEYS,
                            struct.unpack_from("=3I13Q16s", body, 4)))
            zone["name"] = zone["name"].rstrip(b"\0").decode()
            nodes[-1]["zones_of"].append({**zone, "cpus": []})
        elif record.type == REC_COUNTERS:
            kind = COUNTERS[struct.unpack_from("=I", body, 4)[0]]
            values = list(struct.unpack_from(f"={len(body) // 8 - 1}Q", body,
                                             8))
            of = nodes[-1] if kind == "node" else nodes[-1]["zones_of"][-1]
            of[f"{kind}_stats" if kind == "node" else kind] = values
        elif record.type == REC_PAGESET:
            nodes[-1]["zones_of"][-1]["cpus"].append(dict(zip(
                PAGESET_KEYS, struct.unpack_from("=I6i", body, 4))))
    return nodes


FreeList = collections.namedtuple("FreeList",
                                  "node zone cpu order type pfns cut")
MIGRATETYPES = {0: "Unmovable", 1: "Movable", 2: "Reclaimable",
                3: "HighAtomic", 4: "CMA", 5: "Isolate", 15: "Other"}
BLOCKS_LAST, BLOCKS_CUT = 1, 2


def free_lists():
    """Every list of free blocks, the zone by its index."""
    found = []
    for record in walk(FREE, 0):
        node, position, cpu, zone, order, kind, flags, count = (
            struct.unpack_from("=IIiBBBBI", record.body, 4))
        pfns = struct.unpack_from(f"={count}Q", record.body, 24)
        key = (node, zone, cpu, order, MIGRATETYPES[kind])
        if not found or found[-1][:5] != key:
            found.append(FreeList(*key, [], []))
        del found[-1].pfns[position:]
        expect(len(found[-1].pfns) == position, f"{key}: {position}")
        found[-1].pfns.extend(pfns)
        if flags & BLOCKS_CUT:
            found[-1].cut.append(True)
    return found


PageBlocks = collections.namedtuple("PageBlocks",
                                    "node pfn count zone order type")


def pageblocks():
    """Runs of page blocks."""
    found = []
    for record in walk(PAGEBLOCKS, 0):
        node, pfn, count, zone, order, kind = struct.unpack_from(
            "=IQIBBB", record.body, 4)
        found.append(PageBlocks(node, pfn, count, zone, order,
                                MIGRATETYPES[kind]))
    return found
PFNS = struct.Struct("=IQQQiiIBBBBBBHBB2x")
Pfns = collections.namedtuple(
    "Pfns", "count pfn page_flags memcg mapcount refcount folio_index order "
    "kind migratetype lru generation tier node zone bucket")
(KIND_NONE, KIND_BUDDY, KIND_OFFLINE, KIND_TABLE, KIND_GUARD, KIND_HUGETLB,
 KIND_SLAB, KIND_ZSMALLOC, KIND_UNACCEPTED, KIND_LARGE_KMALLOC,
 KIND_MAYBE_HUGE_ZERO) = range(11)


def pages(start=0, end=0):
    """Every page frame of a range of PFNs."""
    for record in walk(PAGES, 0, 0, start, end):
        expect(record.type == REC_PFNS, f"a record of type {record.type}")
        yield Pfns(*PFNS.unpack_from(record.body, 4))


USER = struct.Struct("=IiIQQ")


Region = collections.namedtuple("Region", "flags start end name")
Kmap = collections.namedtuple(
    "Kmap", "level flags va count raw value consecutive")


def kmap(user=False):
    """Regions, and runs of the kernel's page table as the module cuts them."""
    regions, runs = [], []
    for r in walk(KMAP, 0, WALK_USER_HALF * user):
        if r.type == REC_REGION:
            *numbers, name = struct.unpack_from("=IQQ24s", r.body, 4)
            regions.append(Region(*numbers, name.rstrip(b"\0").decode()))
        elif r.type == REC_KMAP:
            *numbers, reserved = struct.unpack_from("=I4QII", r.body, 4)
            expect(not reserved, "reserved")
            runs.append(Kmap(r.level, *numbers))
    return regions, runs


# What of struct mmlens_backing is asked for with LRU lists.
LRU_BACKING = struct.Struct("=I4Q")
LruBacking = collections.namedtuple("LruBacking",
                                    "flags pfn index offset inode")
LRU_LIST = struct.Struct("=IQQQQQIIIBBBB")
LruList = collections.namedtuple(
    "LruList", "flags memcg pages seq age_ms cursor position count node lru "
    "generation zone folios backings")
(LIST_LAST, LIST_CUT, LIST_COUNTED, LIST_NO_ORDER, LIST_ENABLED, LIST_CURRENT,
 LIST_OFFLINE) = (1 << bit for bit in range(7))


def lru(flags=WALK_FOLIOS, start=0, end=0):
    """The parts of LRU lists, each with the states of its folios."""
    part = None
    for record in walk(LRU, 0, flags, start, end):
        if record.type == REC_LRU:
            if part:
                yield part
            *numbers, reserved = LRU_LIST.unpack_from(record.body, 4)
            expect(not reserved, "reserved")
            part = LruList(*numbers, [], [])
        elif record.type == REC_PFNS:
            part.folios.append(Pfns(*PFNS.unpack_from(record.body, 4)))
        elif record.type == REC_BACKING:
            part.backings.append(
                LruBacking(*LRU_BACKING.unpack_from(record.body, 4)))
    if part:
        yield part


def lru_lists(flags=WALK_FOLIOS):
    """Each list whole: its last part with all folios."""
    lists = {}
    for part in lru(flags):
        key = part[1], part.node, part.lru, part.generation, part.zone
        before = lists.get(key)
        told = before.folios if before and part.position else []
        lists[key] = part._replace(folios=told + part.folios)
    return list(lists.values())
