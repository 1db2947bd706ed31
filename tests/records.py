# SPDX-License-Identifier: GPL-2.0-only
"""The module's records without the library: for what no command shows whole."""
import array
import collections
import fcntl
import os
import struct

import lib
from lib import expect

VMAS, PTES, VTOP, SMAPS, NUMA_MAPS, TABLES, PROCS = range(1, 8)
WALK_STATE, WALK_TOTAL = 1 << 3, 1 << 4
(REC_VMA, REC_NAME, REC_PTE, REC_HOLE, REC_LEVEL, REC_SMAPS, REC_RUN,
 REC_PAGE, REC_NUMA, REC_NODE, REC_TABLE, REC_PROC) = range(1, 13)
STATUS_DONE = 1

# struct mmlens_walk
WALK = struct.Struct("=IIiI8QIIQ")
BUFFER_SIZE = 256 << 10

LEVELS = ("", "pte", "pmd", "pud", "p4d", "pgd")

Record = collections.namedtuple("Record", "type level body")


def request(number):
    return 3 << 30 | WALK.size << 16 | 0xb7 << 8 | number


@lib.once
def device():
    descriptor = os.open(lib.DEVICE, os.O_RDONLY | os.O_CLOEXEC)
    lib.at_end(os.close, descriptor)
    return descriptor


def walk(number, pid, flags=0, start=0, end=0):
    """All records of a walk, whatever number of calls it takes."""
    buffer = array.array("Q", bytes(BUFFER_SIZE))
    where = buffer.buffer_info()[0]
    cursor = generation = status = 0
    while not status & STATUS_DONE:
        arguments = bytearray(WALK.pack(
            WALK.size, flags, pid, 0, start, end, cursor, generation, where,
            BUFFER_SIZE, 0, 0, 0, 0, 0))
        fcntl.ioctl(device(), request(number), arguments)
        (_, _, _, status, _, _, cursor, generation, _, _, written, _, _, _,
         _) = WALK.unpack(arguments)
        yield from parse(buffer.tobytes()[:written])


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
