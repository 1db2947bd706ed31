# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own answers, and what they are if the reader is right.

/proc/PID/pagemap is compared as a whole: from the entries that the reader
gives, an array is built of what pagemap must hold for each page of each VMA,
and that is compared with what it holds.
"""
import array
import collections
import errno
import fcntl
import functools
import os
import re
import struct

import lib
from lib import PAGE

PRESENT = 1 << 63
SWAP = 1 << 62
FILE = 1 << 61
GUARD = 1 << 58         # since 6.15
UFFD_WP = 1 << 57       # since 5.14
EXCLUSIVE = 1 << 56
SOFT_DIRTY = 1 << 55
FRAME = (1 << 55) - 1
# pagemap ends there, whatever more five levels can address.
USER_END = (1 << 47) - PAGE
SWAP_TYPE_BITS = 5

# Regions beyond this size are compared where something is, and in samples.
DENSE_LIMIT = 4 << 30
CHUNK_PAGES = 1 << 15
SAMPLE_PAGES = 512

# /proc/kpageflags
KPF_LRU = 1 << 5
KPF_SLAB = 1 << 7
KPF_BUDDY = 1 << 10
KPF_MMAP = 1 << 11
KPF_ANON = 1 << 12
KPF_COMPOUND = 3 << 15
KPF_HUGE = 1 << 17
KPF_NOPAGE = 1 << 20
KPF_KSM = 1 << 21
KPF_ZERO_PAGE = 1 << 24
KPF_PGTABLE = 1 << 26
KPF_OTHER_USE = KPF_LRU | KPF_SLAB | KPF_BUDDY | KPF_MMAP | KPF_ANON
KPF_ANON_EXCLUSIVE = 1 << 34    # of an anonymous page: 5.19 and later

Vma = collections.namedtuple("Vma", "start end perms offset device inode name")


def maps(pid):
    """The VMAs of a process; not the gate area, which is in none."""
    found = []
    for line in lib.read(f"/proc/{pid}/maps", "rb").split(b"\n")[:-1]:
        where, perms, offset, device, inode, *name = line.split(None, 5)
        start, end = (int(part, 16) for part in where.split(b"-"))
        if start < 1 << 63:
            found.append(Vma(start, end, perms.decode(), int(offset, 16),
                             device.decode(), int(inode),
                             name[0] if name else b""))
    return found


def smaps(pid):
    """For each start of a VMA its fields in KiB, and its VmFlags."""
    found, fields = {}, None
    head = re.compile(rb"^([0-9a-f]+)-[0-9a-f]+ ")
    for line in lib.read(f"/proc/{pid}/smaps", "rb").split(b"\n"):
        match = head.match(line)
        if match:
            fields = found[int(match.group(1), 16)] = {}
        elif line.startswith(b"VmFlags:"):
            fields["VmFlags"] = set(line.decode().split()[1:])
        elif fields is not None and line.endswith(b" kB"):
            key, value, _ = line.split()
            fields[key[:-1].decode()] = int(value)
    return found


def pagemap(pid, start, pages):
    """The entries as an array of 64-bit numbers."""
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        return read_pagemap(file, start, pages)


def read_pagemap(file, start, pages):
    entries = array.array("Q")
    at, end = start // PAGE * 8, (start // PAGE + pages) * 8
    while at < end:
        data = os.pread(file.fileno(), min(end - at, 1 << 20), at)
        lib.expect(data, f"pagemap ends at {at // 8 * PAGE:#x}")
        entries.frombytes(data)
        at += len(data)
    return entries


def kpages(name, frames):
    """Entries of /proc/kpageflags or a file like it, by PFN."""
    found = {}
    with open(f"/proc/{name}", "rb", buffering=0) as file:
        for pfn in sorted(frames):
            data = os.pread(file.fileno(), 8, pfn * 8)
            found[pfn] = struct.unpack("Q", data)[0] if len(data) == 8 \
                else KPF_NOPAGE
    return found


def kpage(name, pfn):
    """The entry of one page."""
    return kpages(name, [pfn])[pfn]


def is_ram(pfn):
    """Is it memory for /proc/iomem?"""
    return any(int(first, 16) <= pfn * PAGE <= int(last, 16)
               for first, last in re.findall(
                   r"([0-9a-f]+)-([0-9a-f]+) : System RAM",
                   lib.read("/proc/iomem")))


# ---- entries as the architecture holds them (x86-64) ----

RAW_PRESENT = 1 << 0
RAW_PROT_NONE = 1 << 8
RAW_PFN = ((1 << 52) - 1) & ~(PAGE - 1)
RAW_FLAGS = {"rw": 1 << 1, "user": 1 << 2, "accessed": 1 << 5,
             "special": 1 << 9, "nx": 1 << 63}
RAW_DIRTY = 1 << 6 | (1 << 58 if lib.kernel_release() >= (6, 6) else 0)
RAW_BITS = [*RAW_FLAGS.items(), ("dirty", RAW_DIRTY)]


def raw_pfn(raw, size=PAGE):
    """PFN of a leaf; PROT_NONE entries have its bits inverted (L1TF)."""
    if not raw & RAW_PRESENT:
        raw ^= RAW_PFN
    return (raw & RAW_PFN & ~(size - 1)) // PAGE


def raw_swap_type(raw):
    return raw >> 59


def raw_swap_offset(raw):
    return (~raw << 5 & (1 << 64) - 1) >> 14


@functools.lru_cache(None)
def _raw_bits_say(bits, state, flags):
    """The same for all but the PFN of a present entry."""
    if bool(bits & RAW_PRESENT) == ("prot_none" in flags):
        return f"raw bits {bits:#x} with {sorted(flags)}"
    if bits & RAW_PRESENT:
        for name, bit in RAW_BITS:
            if bool(bits & bit) != (name in flags):
                return f"raw bits {bits:#x}: {name} of {sorted(flags)}"
    return None


def raw_says(entry):
    """Why the raw entry is another one than the rest says, or None."""
    raw, state = entry["raw"], entry["state"]
    if state in ("present", "numa_hint"):
        if raw_pfn(raw, entry["size"]) != entry["pfn"]:
            return f"raw {raw:#x} has PFN {raw_pfn(raw, entry['size']):#x}"
        return _raw_bits_say(raw & ~RAW_PFN, state, entry["flags"])
    if raw & (RAW_PRESENT | RAW_PROT_NONE) or not raw:
        return f"raw {raw:#x} in state {state}"
    if state == "swap":
        slot = (raw_swap_type(raw), raw_swap_offset(raw))
        if slot != (entry["swap"]["type"], entry["swap"]["offset"]):
            return f"raw {raw:#x} is swap slot {slot}"
    return None


# ---- what pagemap must hold ----

MARKER_BITS = {"uffd": 1, "poison": 2, "guard": 4}


def _frame(entry):
    """Bits 0 to 54, and by how much they grow from page to page."""
    state = entry["state"]
    if state in ("present", "numa_hint"):
        return entry["pfn"], 1
    step = 1 << SWAP_TYPE_BITS
    if state == "swap":
        slot = entry["swap"]
        return slot["type"] | slot["offset"] << SWAP_TYPE_BITS, step
    kind = raw_swap_type(entry["raw"])
    if state == "marker":
        bits = sum(MARKER_BITS[name] for name in entry["marker"])
        return kind | bits << SWAP_TYPE_BITS, step
    return kind | entry["pfn"] << SWAP_TYPE_BITS, step


@functools.lru_cache(None)
def _bits(present, flags, guard):
    bits = 0
    if "soft_dirty" in flags:
        bits |= SOFT_DIRTY
    if "uffd_wp" in flags and lib.kernel_release() >= (5, 14):
        bits |= UFFD_WP
    if _only_those(present, flags):
        return bits
    bits |= PRESENT if present else SWAP
    bits |= FILE if "file" in flags else 0
    bits |= EXCLUSIVE if "exclusive" in flags else 0
    bits |= GUARD if guard and lib.kernel_release() >= (6, 15) else 0
    return bits


def _only_those(present, flags):
    """Of hugetlb pages that aren't there pagemap tells no more."""
    return not present and "hugetlb" in flags


def expected(entry):
    """pagemap's value for the entry's first page, and its step a page."""
    flags, present = entry["flags"], entry["state"] in ("present", "numa_hint")
    bits = _bits(present, flags, "guard" in entry.get("marker", ()))
    if _only_those(present, flags):
        return bits, 0
    frame, step = _frame(entry)
    return bits | frame & FRAME, step


def fill(wanted, first_page, entry):
    """Put the entry into the part of pagemap that begins at first_page."""
    value, step = expected(entry)
    page = entry["va"] // PAGE - first_page
    count = entry["size"] // PAGE
    if page < 0:
        value, count, page = value - step * page, count + page, 0
    count = min(count, len(wanted) - page)
    if count == 1:
        wanted[page] = value
    elif step:
        wanted[page:page + count] = array.array(
            "Q", range(value, value + count * step, step))
    else:
        wanted[page:page + count] = array.array("Q", [value]) * count


def words(value):
    """A pagemap entry for people."""
    names = [name for name in ("PRESENT", "SWAP", "FILE", "GUARD", "UFFD_WP",
                               "EXCLUSIVE", "SOFT_DIRTY")
             if value & globals()[name]]
    return f"{'|'.join(names) or 0} frame {value & FRAME:#x}"


# ---- the comparison ----

def _numbers(records, *keys):
    for record in records:
        for key in keys:
            if key in record:
                record[key] = int(record[key], 16)
        record["flags"] = frozenset(record.get("flags", ()))
    return records


def entries_of(pid, *arguments):
    """The reader's entries of a process, numbers and sets instead of text."""
    document = lib.observe("pte", pid, *arguments, "--each")
    return _numbers(document["entries"], "va", "raw")


def runs_of(pid, *arguments):
    document = lib.observe("pte", pid, *arguments)
    return _numbers(document["runs"], "start", "end", "raw")


def out_of_order(entries):
    end, wrong = 0, []
    for entry in entries:
        if entry["va"] < end:
            wrong.append(f"{entry['va']:#x} stands behind {end:#x}")
        end = entry["va"] + entry["size"]
    return wrong


def in_huge_page(va, entries):
    """An entry tells of its first page whether it is mapped elsewhere, as
    pagemap does of all; that of 6.12 looks at each."""
    return lib.kernel_release() == (6, 12) and any(
        e["level"] == "pmd" and e["va"] < va < e["va"] + e["size"]
        for e in entries)


class Comparison:
    """One process, once: what the reader says against what pagemap says."""

    def __init__(self, pid):
        self.pid = pid
        self.wrong = []
        self.pages = 0
        self.gather()

    def gather(self):
        pid = self.pid
        before = maps(pid)
        self.entries = entries_of(pid)
        self.vmas = maps(pid)
        if before != self.vmas:
            self.wrong.append("the process changes its mappings")
        self.smaps = smaps(pid)
        with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as self.file:
            self.compare()

    def read(self, start, count):
        return read_pagemap(self.file, start, count)

    def compare(self):
        self.wrong += out_of_order(self.entries)
        self.wrong += filter(None, (
            why and f"{entry['va']:#x}: {why}" for entry, why in
            ((entry, raw_says(entry)) for entry in self.entries)))
        at = 0
        for vma in self.vmas:
            while (at < len(self.entries) and
                   self.entries[at]["va"] < vma.start):
                self.stray(self.entries[at])
                at += 1
            first = at
            while at < len(self.entries) and self.entries[at]["va"] < vma.end:
                at += 1
            self.compare_vma(vma, self.entries[first:at])
        for entry in self.entries[at:]:
            self.stray(entry)

    def stray(self, entry):
        self.wrong.append(f"{entry['va']:#x}: an entry outside of all VMAs")

    def compare_vma(self, vma, entries):
        flags = self.smaps.get(vma.start, {}).get("VmFlags", ())
        hole = SOFT_DIRTY if "sd" in flags else 0
        # Of a VMA of bare frames (a device, [vvar]) pagemap tells nothing.
        if "pf" in flags:
            entries = []
        if vma.end - vma.start <= DENSE_LIMIT:
            for start in range(vma.start, vma.end, CHUNK_PAGES * PAGE):
                self.compare_pages(
                    start, min(CHUNK_PAGES, (vma.end - start) // PAGE),
                    entries, hole)
        else:
            self.compare_samples(vma, entries, hole)
            self.compare_sums(vma, entries)
            self.compare_scan(vma, entries)

    def compare_pages(self, start, count, entries, hole):
        wanted = array.array("Q", [hole]) * count
        end = start + count * PAGE
        for entry in entries:
            if entry["va"] < end and entry["va"] + entry["size"] > start:
                fill(wanted, start // PAGE, entry)
        got = self.read(start, count)
        self.pages += count
        if got == wanted:
            return
        for page, (one, other) in enumerate(zip(wanted, got)):
            if one ^ other == EXCLUSIVE and in_huge_page(
                    start + page * PAGE, entries):
                continue
            if one != other:
                self.wrong.append(f"{start + page * PAGE:#x}: mmlens {words(one)}"
                                  f", pagemap {words(other)}")

    def compare_samples(self, vma, entries, hole):
        """The ends, regular places, and all surroundings of entries."""
        size = SAMPLE_PAGES * PAGE
        places = {vma.start, vma.end - size}
        places |= {vma.start + (vma.end - vma.start) // 64 * i & ~(size - 1)
                   for i in range(64)}
        places |= {entry["va"] & ~(size - 1) for entry in entries}
        for start in sorted(places):
            start = max(start, vma.start)
            self.compare_pages(
                start, min(SAMPLE_PAGES, (vma.end - start) // PAGE),
                entries, hole)

    def compare_sums(self, vma, entries):
        """Rss and Swap of smaps count every page that isn't special."""
        fields = self.smaps[vma.start]
        if {"pf", "ht", "mm"} & fields["VmFlags"]:
            return
        rss = sum(e["size"] for e in entries if e["state"] == "present" and
                  "zero" not in e["flags"]) // 1024
        swap = sum(e["size"] for e in entries if e["state"] == "swap") // 1024
        if (rss, swap) != (fields["Rss"], fields["Swap"]):
            self.wrong.append(
                f"{vma.start:#x}: Rss {rss} and Swap {swap} kB instead of "
                f"{fields['Rss']} and {fields['Swap']}")

    def compare_scan(self, vma, entries):
        """PAGEMAP_SCAN (6.7 and later) finds what is in a large region."""
        found = scan(self.pid, vma.start, vma.end)
        if found is None:
            return
        pages = {entry["va"] + at for entry in entries
                 for at in range(0, entry["size"], PAGE)}
        for va in sorted(pages ^ found):
            who = "mmlens" if va in pages else "PAGEMAP_SCAN"
            self.wrong.append(f"{va:#x}: only {who} sees an entry")


PAGEMAP_SCAN = 0xc0606610
PAGE_IS_PRESENT_OR_SWAPPED = 1 << 3 | 1 << 4


def scan(pid, start, end):
    """Addresses of the pages that are there; None without the ioctl."""
    found = set()
    room = array.array("Q", bytes(24 * 512))
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        while start < end:
            arguments = bytearray(struct.pack(
                "12Q", 96, 0, start, end, 0, room.buffer_info()[0], 512, 0,
                0, 0, PAGE_IS_PRESENT_OR_SWAPPED, PAGE_IS_PRESENT_OR_SWAPPED))
            try:
                count = fcntl.ioctl(file, PAGEMAP_SCAN, arguments)
            except OSError as error:
                if error.errno == errno.ENOTTY:
                    return None
                raise
            for i in range(count):
                found |= set(range(room[3 * i], room[3 * i + 1], PAGE))
            start = struct.unpack_from("Q", arguments, 32)[0]
    return found


def compare(pid):
    """The comparison that found nothing; fails when three found something.

    The kernel may move pages of a stopped process on its own account, so a
    difference counts when it stays.
    """
    for _ in range(3):
        comparison = Comparison(pid)
        if not comparison.wrong:
            return comparison
    wrong = comparison.wrong
    more = f"\n... and {len(wrong) - 8} more" if len(wrong) > 8 else ""
    raise lib.Failure(f"{len(wrong)} differences\n" +
                      "\n".join(wrong[:8]) + more)
