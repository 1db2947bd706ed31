# SPDX-License-Identifier: GPL-2.0-only
"""The comparison with pagemap notices each kind of difference.

pagemap and the entries are written down here by hand, from the documentation
of both; neither the module nor a process is needed.
"""
import array
import copy

import pagemap
from lib import expect, same, test
from pagemap import PAGE

START = 0x7f0000000000
PFN = 0x12345
P, S, D, E, W, F = (1 << 63, 1 << 62, 1 << 55, 1 << 56, 1 << 57, 1 << 61)


def raw_leaf(pfn, *bits):
    """An x86-64 entry: present, user, accessed, no execution, and more."""
    return pfn << 12 | 1 << 63 | 0x25 | sum(1 << bit for bit in bits)


def raw_swap(kind, offset):
    return kind << 59 | (~offset << 14 & (1 << 64) - 1) >> 5


def entry(page, state, flags, raw, level="pte", size=PAGE, **more):
    return {"va": START + page * PAGE, "state": state, "level": level,
            "size": size, "raw": raw, "flags": frozenset(flags.split()),
            **more}


# Page: what pagemap holds, and the entry.
USUAL = "user accessed nx soft_dirty"
KNOWN = {
    0: (P | D | E | PFN, entry(
        0, "present", f"{USUAL} rw dirty exclusive", raw_leaf(PFN, 1, 6),
        pfn=PFN)),
    1: (P | D | F | PFN + 7, entry(
        1, "present", f"{USUAL} file", raw_leaf(PFN + 7), pfn=PFN + 7)),
    2: (P | D | W | E | PFN + 9, entry(
        2, "present", f"{USUAL} uffd_wp exclusive", raw_leaf(PFN + 9, 10),
        pfn=PFN + 9)),
    4: (S | D | 1 | 0x77 << 5, entry(
        4, "swap", "soft_dirty", raw_swap(1, 0x77),
        swap={"type": 1, "offset": 0x77})),
    5: (S | D | 30 | PFN << 5, entry(
        5, "migration", "soft_dirty", raw_swap(30, PFN), pfn=PFN)),
    6: (S | D | W | 29 | 1 << 5, entry(
        6, "marker", "soft_dirty uffd_wp", raw_swap(29, 1),
        marker=["uffd"])),
    9: (P | D | E | 0x9999, entry(
        9, "present", "soft_dirty prot_none exclusive",
        (0x9999 << 12 ^ pagemap.RAW_PFN) | 0x100, pfn=0x9999)),
}
HUGE = 512
PAGES = 1024


def given():
    """A VMA of 4 MiB: some pages in the first half, one huge in the second."""
    known = array.array("Q", [D]) * PAGES
    entries = []
    for page, (value, what) in KNOWN.items():
        known[page] = value
        entries.append(copy.deepcopy(what))
    known[HUGE:] = array.array("Q", range(P | D | E | 0x40000,
                                          (P | D | E | 0x40000) + 512))
    entries.append(entry(HUGE, "present", f"{USUAL} leaf exclusive",
                         raw_leaf(0x40000, 7), "pmd", 512 * PAGE,
                         pfn=0x40000))
    return known, entries


class Given(pagemap.Comparison):
    def __init__(self, known, entries):
        self.known = known
        self.entries = entries
        super().__init__(0)

    def gather(self):
        self.vmas = [pagemap.Vma(START, START + PAGES * PAGE, "rw-p", 0,
                                 "00:00", 0, b"")]
        self.smaps = {START: {"VmFlags": {"rd", "wr", "sd"}}}
        self.compare()

    def read(self, start, count):
        first = (start - START) // PAGE
        return self.known[first:first + count]


@test(needs_module=False)
def comparison_accepts_what_is_right():
    same(Given(*given()).wrong, [], "differences")


def change_frame(entries):
    entries[0]["pfn"] += 1
    entries[0]["raw"] += PAGE


def change_raw(entries):
    entries[0]["raw"] += PAGE


def drop(entries):
    del entries[1]


def add(entries):
    entries.insert(3, entry(3, "present", USUAL, raw_leaf(5), pfn=5))


def add_outside(entries):
    entries.append(entry(PAGES, "present", USUAL, raw_leaf(5), pfn=5))


def twice(entries):
    entries.insert(1, copy.deepcopy(entries[0]))


def swap_type(entries):
    entries[3]["swap"]["type"] = 0


def swap_offset(entries):
    entries[3]["swap"]["offset"] += 1


def migrated_frame(entries):
    entries[4]["pfn"] += 1


def marker(entries):
    entries[5]["marker"] = ["poison"]


def present_swap(entries):
    entries[3].update(state="present", pfn=0x77)


def huge_shorter(entries):
    entries[-1]["size"] = 511 * PAGE


def huge_frame(entries):
    entries[-1]["pfn"] += 512
    entries[-1]["raw"] += 512 * PAGE


def flag(number, name):
    def flip(entries):
        entries[number]["flags"] ^= {name}
    flip.__name__ = f"flag_{name}_{number}"
    return flip


CHANGES = [change_frame, change_raw, drop, add, add_outside, twice, swap_type,
           swap_offset, migrated_frame, marker, present_swap, huge_shorter,
           huge_frame] + [
    flag(0, name) for name in ("user", "rw", "accessed", "dirty", "nx",
                               "exclusive", "file", "soft_dirty", "uffd_wp",
                               "special", "prot_none")] + [
    flag(3, "soft_dirty"), flag(3, "uffd_wp"), flag(5, "uffd_wp"),
    flag(6, "prot_none"), flag(7, "exclusive"), flag(7, "rw")]


@test(needs_module=False)
def comparison_notices():
    for change in CHANGES:
        known, entries = given()
        change(entries)
        expect(Given(known, entries).wrong,
               f"{change.__name__} isn't noticed")


@test(needs_module=False)
def comparison_notices_each_bit_of_pagemap():
    for page in [*KNOWN, 3, HUGE, HUGE + 1, PAGES - 1]:
        for bit in [*range(12), 55, 56, 57, 61, 62, 63]:
            known, entries = given()
            known[page] ^= 1 << bit
            expect(Given(known, entries).wrong,
                   f"bit {bit} of page {page} isn't noticed")
