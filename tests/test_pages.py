# SPDX-License-Identifier: GPL-2.0-only
"""State of mapped pages: what kpageflags, kpagecount and kpagecgroup have.

Both files are read before and after the reader. The kernel may set or clear a
bit of a page in between, so each must have been seen in one of the two looks.
"""
import array
import collections
import ctypes
import mmap
import os
import re

import lib
import machine
import pagemap
from lib import PAGE, expect, same, test

# Of tools/mm/page-types.c; names of other series behind the first.
BITS = {name: bit for bit, names in enumerate([
    "locked", "error", "referenced", "uptodate", "dirty", "lru", "active",
    "slab", "writeback", "reclaim", "buddy", "mmap", "anonymous", "swapcache",
    "swapbacked", "compound_head", "compound_tail", "huge", "unevictable",
    "hwpoison", "nopage", "ksm", "thp", "offline balloon", "zero_page",
    "idle_page", "pgtable", "", "", "", "", "", "reserved", "mlocked",
    "mappedtodisk owner_2", "private", "private_2", "owner_private", "arch",
    "uncached", "softdirty", "arch_2", "arch_3"]) for name in names.split()}


def bit(name):
    return 1 << BITS[name]


HEAD, TAIL = bit("compound_head"), bit("compound_tail")
LARGE = bit("thp") | bit("huge")
# Reads that are near each other are made as one.
GAP = 64


def kread(name, frames):
    """Entries of /proc/NAME by PFN, in as few reads as may be."""
    found = {}
    wanted = sorted(frames)
    with open(f"/proc/{name}", "rb", buffering=0) as file:
        at = 0
        while at < len(wanted):
            first = last = wanted[at]
            while at < len(wanted) and wanted[at] - last <= GAP:
                last = wanted[at]
                at += 1
            data = os.pread(file.fileno(), (last - first + 1) * 8, first * 8)
            values = array.array("Q", data[:len(data) // 8 * 8])
            found.update(zip(range(first, last + 1), values))
    return found


class Look:
    """The kernel's files about some pages, once."""

    def __init__(self, frames):
        self.flags = kread("kpageflags", frames)
        self.count = kread("kpagecount", frames)
        self.cgroup = kread("kpagecgroup", frames)


def pages_of(pid):
    """Entries with the state of their pages."""
    document = lib.observe("pte", pid, "--each", "--pages")
    found = []
    for entry in document["entries"]:
        if "page" in entry:
            page = entry["page"]
            page["bits"] = sum(bit(name) for name in page["flags"]
                               if name in BITS)
            unknown = set(page["flags"]) - set(BITS)
            expect(not unknown, f"unknown flags {unknown}")
            found.append(entry)
    return found, document["entries"]


@lib.once
def everybodys():
    """PFNs of the vDSO and what belongs to it: every process maps them, the
    reader too while it looks."""
    frames = set()
    with open("/proc/self/pagemap", "rb", buffering=0) as file:
        for line in lib.read("/proc/self/maps").splitlines():
            if not re.search(r" \[v(dso|var\w*)\]$", line):
                continue
            start, end = (int(text, 16) for text in
                          line.split()[0].split("-"))
            data = os.pread(file.fileno(), (end - start) // PAGE * 8,
                            start // PAGE * 8)
            frames.update(value & (1 << 55) - 1
                          for value in array.array("Q", data))
    return frames


@lib.once
def all_are_ksm():
    """Does this kernel's kpageflags call every anonymous page one of KSM's?
    (That of 6.12 tests for one of two bits, not for both.)"""
    page = mmap.mmap(-1, PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page[0] = 1
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    with open("/proc/self/pagemap", "rb", buffering=0) as file:
        value, = array.array("Q", os.pread(file.fileno(), 8,
                                           address // PAGE * 8))
    frame = value & (1 << 55) - 1
    return bool(kread("kpageflags", {frame})[frame] & bit("ksm"))


def check_page(entry, before, after):
    """Why the page isn't what the kernel's files say, or None."""
    page, pfn = entry["page"], entry["pfn"]
    one, other = before.flags[pfn], after.flags[pfn]
    wrong = (page["bits"] ^ one) & (page["bits"] ^ other)
    if all_are_ksm():
        wrong &= ~bit("ksm")
    if wrong:
        names = [name for name in BITS if wrong & bit(name)]
        return f"{' '.join(names)} of {page['flags']}"
    counts = (before.count[pfn], after.count[pfn])
    # The reader's own mapping, if it has used that page.
    mine = {0, int(pfn in everybodys())}
    if not {page["mapcount"] - n for n in mine} & set(counts):
        return f"mapcount {page['mapcount']}, kpagecount {counts}"
    groups = (before.cgroup[pfn], after.cgroup[pfn])
    if page["memcg"] not in groups:
        return f"memcg {page['memcg']}, kpagecgroup {groups}"
    return None


def compare_pages(pid):
    """What differs."""
    _, entries = pages_of(pid)
    frames = {e["pfn"] for e in entries
              if e["state"] in ("present", "numa_hint")}
    before = Look(frames)
    pages, entries = pages_of(pid)
    after = Look(frames)
    wrong = []
    for entry in pages:
        if entry["pfn"] not in frames:
            wrong.append(f"{entry['va']}: another page")
            continue
        why = check_page(entry, before, after)
        if why:
            wrong.append(f"{entry['va']}, PFN {entry['pfn']:#x}: {why}")
    return wrong, pages, entries, after


@test(*machine.SMALL_TARGETS)
def page_state_is_the_kernels(target):
    pid = machine.TARGETS[target]()
    for _ in range(3):
        wrong, pages, entries, look = compare_pages(pid)
        if not wrong:
            break
    expect(not wrong, f"{len(wrong)} pages\n" + "\n".join(wrong[:8]))
    expect(len(pages) > 50, f"only {len(pages)} pages")
    for entry in entries:
        if entry["state"] in ("present", "numa_hint"):
            known = not look.flags[entry["pfn"]] & bit("nopage") if \
                entry["pfn"] in look.flags else False
            expect("page" in entry or not known or
                   "special" in entry["flags"],
                   f"no page at {entry['va']}")
        else:
            expect("page" not in entry, f"a page at {entry['va']}")


# ---- the folio ----

class Folios:
    """Bounds of compound pages, from kpageflags."""

    LONGEST = 1 << 18
    STEP = 512

    def __init__(self):
        self.file = open("/proc/kpageflags", "rb", buffering=0)
        self.blocks = {}
        self.known = {}
        self.last = (0, 0)

    def flags(self, pfn):
        block = pfn // self.STEP
        if block not in self.blocks:
            data = os.pread(self.file.fileno(), self.STEP * 8,
                            block * self.STEP * 8)
            self.blocks[block] = array.array("Q", data)
        values = self.blocks[block]
        at = pfn % self.STEP
        return values[at] if at < len(values) else bit("nopage")

    def head_of(self, pfn):
        head = pfn
        while self.flags(head) & TAIL and pfn - head < self.LONGEST:
            head -= 1
        return head

    def end_of(self, head):
        end = head + 1
        while self.flags(end) & TAIL and end - head < self.LONGEST:
            end += 1
        return end

    def find(self, pfn):
        """Order of the folio, and the page's place in it."""
        head, end = self.last
        if not head <= pfn < end:
            if not self.flags(pfn) & (HEAD | TAIL):
                return 0, 0
            head = self.head_of(pfn)
            end = self.known.get(head) or self.end_of(head)
            self.known[head] = end
            self.last = (head, end)
        return (end - head).bit_length() - 1, pfn - head

    def close(self):
        self.file.close()


@test(*machine.SMALL_TARGETS)
@lib.settles
def page_order_is_the_compounds(target):
    folios = Folios()
    seen = collections.Counter()
    for entry in pages_of(machine.TARGETS[target]())[0]:
        page = entry["page"]
        same((page["order"], page["folio_index"]), folios.find(entry["pfn"]),
             f"order and index at {entry['va']}, PFN {entry['pfn']:#x}")
        seen[page["order"]] += 1
    folios.close()
    if target == "workload":
        expect({0, 9} <= set(seen), f"orders {seen}")


# ---- where it stands ----

def zones():
    """Node, index and PFNs of each zone."""
    found = []
    index = collections.Counter()
    for part in re.split(r"^(?=Node )", lib.read("/proc/zoneinfo"),
                         flags=re.M)[1:]:
        node = int(re.match(r"Node (\d+)", part).group(1))
        start = re.search(r"start_pfn: +(\d+)", part)
        size = re.search(r"spanned +(\d+)", part)
        if start:
            first = int(start.group(1))
            found.append((node, index[node],
                          range(first, first + int(size.group(1)))))
        index[node] += 1
    return found


@test("shell", "python", "workload")
def page_place_is_zoneinfos(target):
    known = zones()
    for entry in pages_of(machine.TARGETS[target]())[0]:
        page = entry["page"]
        # Spans of nodes may overlap.
        places = [(node, zone) for node, zone, frames in known
                  if entry["pfn"] in frames]
        expect((page["node"], page["zone"]) in places,
               f"{entry['va']}: {page}, zoneinfo has {places}")


def list_of(bits):
    """The classic list of a page with these flags."""
    if not bits & bit("lru"):
        return "none"
    if bits & bit("unevictable"):
        return "unevictable"
    kind = "anon" if bits & bit("swapbacked") else "file"
    return ("active_" if bits & bit("active") else "inactive_") + kind


@test(*machine.SMALL_TARGETS)
def page_list_is_its_flags(target):
    """Its type by the flags; which list of it, unless generations do that."""
    pages = pages_of(machine.TARGETS[target]())[0]
    for entry in pages:
        page = entry["page"]
        # Up to 6.1 a tail's flags are its own, which has none for lists.
        if lib.kernel_release() < (6, 12) and page["bits"] & TAIL:
            continue
        wanted = list_of(page["bits"])
        if "generation" in page:
            wanted = wanted.split("_")[-1]
            expect(0 <= page["generation"] < 4 and 0 <= page["tier"] < 4,
                   f"{entry['va']}: {page}")
            expect(page["lru"].endswith(wanted), f"{entry['va']}: {page}")
        else:
            same(page["lru"], wanted, f"list of {page['flags']}")


GENERATIONS = "/sys/kernel/mm/lru_gen/enabled"


@test()
def page_generations_where_the_kernel_has_them():
    has = os.path.exists(GENERATIONS) and \
        int(lib.read(GENERATIONS), 16) & 1
    pages = pages_of(machine.redis())[0]
    found = sum("generation" in entry["page"] for entry in pages)
    if has:
        expect(found > len(pages) // 2, f"{found} of {len(pages)}")
    else:
        same(found, 0, "pages in generations")


# ---- with and without ----

@test()
@lib.settles
def pages_change_nothing_else():
    """The other members of an entry, and those of runs, are the same."""
    pid = machine.workload().pid
    _, entries = pages_of(pid)
    plain = lib.observe("pte", pid, "--each")["entries"]
    for entry in entries:
        entry.pop("page", None)
    same(len(entries), len(plain), "entries")
    for one, other in zip(entries, plain):
        same({k: v for k, v in one.items() if k != "flags"},
             {k: v for k, v in other.items() if k != "flags"}, "an entry")
        expect(set(one["flags"]) >= set(other["flags"]),
               f"{other['va']}: {one['flags']}, without {other['flags']}")


# ---- folios ----

CHUNK = 512


def present_pages(vma, file):
    """Number and PFN of each, and None where there is a gap."""
    entries = pagemap.read_pagemap(file, vma.start,
                                   (vma.end - vma.start) // PAGE)
    for at in range(0, len(entries), CHUNK):
        chunk = entries[at:at + CHUNK]
        # Most of a large VMA has nothing.
        if not chunk[0] & pagemap.PRESENT and \
                chunk.count(chunk[0]) == len(chunk):
            yield None
            continue
        for page, entry in enumerate(chunk, vma.start // PAGE + at):
            pfn = entry & pagemap.FRAME
            yield (page, pfn) if entry & pagemap.PRESENT and pfn else None


def mapped_pieces(vma, file, folios):
    """Pages of one folio in a row: first page, PFN, count, order, kind."""
    piece = None
    for found in present_pages(vma, file):
        flags = folios.flags(found[1]) if found else bit("nopage")
        if flags & (bit("zero_page") | bit("nopage")):
            yield piece
            piece = None
            continue
        page, pfn = found
        order, index = folios.find(pfn) if flags & LARGE else (0, 0)
        if piece and order and piece[1] + piece[2] == pfn and index:
            piece = (*piece[:2], piece[2] + 1, *piece[3:])
            continue
        yield piece
        piece = (page, pfn, 1, order, kind_of(flags))
    yield piece


def kind_of(flags):
    if flags & bit("huge"):
        return "hugetlb"
    return "anon" if flags & bit("anonymous") else "file"


def fit(piece):
    """How a folio is mapped, by thpmaps' words."""
    page, _, count, order, _ = piece
    if count < 1 << order:
        return "partial"
    return "unaligned" if page & ((1 << order) - 1) else "aligned"


def recount(pid, vmas):
    """Bytes by VMA, and by kind, order and how the folio is mapped."""
    folios = Folios()
    found = {}
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        for vma in vmas:
            sums = found[vma.start] = collections.Counter()
            for piece in mapped_pieces(vma, file, folios):
                if piece:
                    sums[piece[4], piece[3], fit(piece)] += piece[2] * PAGE
    folios.close()
    return found


def told(vma):
    """The same from the command's document, with entries of all levels."""
    sums = collections.Counter()
    for row in vma["folios"]:
        for how in ("aligned", "unaligned", "partial"):
            if row[how]:
                sums[row["kind"], row["order"], how] += row[how]
    return sums


SMAPS_PMD = ("AnonHugePages", "ShmemPmdMapped", "FilePmdMapped")


def by_pmd(vma):
    return sum(row["aligned"] + row["unaligned"] + row["partial"]
               for row in vma["folios"]
               if row["level"] == "pmd" and row["kind"] != "hugetlb")


def smaps_skips(vma):
    """6.1's smaps counts no huge page that may not be accessed."""
    return lib.kernel_release() == (6, 1) and vma.perms.startswith("---")


@test(*machine.SMALL_TARGETS)
@lib.settles
def folios_are_pagemaps(target):
    pid = machine.TARGETS[target]()
    document = lib.observe("folios", pid)
    smaps = pagemap.smaps(pid)
    vmas = [v for v in pagemap.maps(pid) if v.end - v.start <= 1 << 30 and
            "pf" not in smaps[v.start]["VmFlags"]]
    wanted = recount(pid, vmas)
    shown = {int(v["start"], 16): v for v in document["vmas"]}
    seen = set()
    for vma in vmas:
        got = shown.get(vma.start, {"folios": []})
        same(told(got), wanted[vma.start],
             f"bytes of folios at {vma.start:#x}")
        seen |= {key[1] for key in wanted[vma.start]}
        fields = smaps[vma.start]
        if not smaps_skips(vma):
            same(by_pmd(got) // 1024,
                 sum(fields.get(f, 0) for f in SMAPS_PMD),
                 f"by PMD at {vma.start:#x}")
        if vma.start in shown:
            same(got["kernel_page_size"] // 1024, fields["KernelPageSize"],
                 f"KernelPageSize of {vma.start:#x}")
    if target == "workload":
        expect({0, 9} <= seen, f"orders {seen}")


@test()
def folios_total_is_the_sum():
    document = lib.observe("folios", machine.workload().pid)
    total = collections.Counter()
    for vma in document["vmas"]:
        total.update(told(vma))
    same(told(document["total"]), total, "total")
