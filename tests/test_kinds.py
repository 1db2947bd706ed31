# SPDX-License-Identifier: GPL-2.0-only
"""Each kind of entry that the workload makes is recognised as what it is."""
import copy

import lib
import machine
import pagemap
from lib import Skip, expect, same, test
from pagemap import PAGE

MIB2 = 2 << 20


class Kind:
    """What every entry of a region must be.

    has and lacks are flags; each is checked on every entry. A kind that not
    every kernel or machine has may be missing from the workload.
    """

    def __init__(self, state, has="", lacks="", level="pte", marker=(),
                 may_miss=False, check=None):
        self.state = state
        self.has = set(has.split())
        self.lacks = set(lacks.split())
        self.level = level
        self.marker = set(marker)
        self.may_miss = may_miss
        self.check = check


def anon(has="", lacks="", **more):
    """Written anonymous memory of this process alone."""
    usual = {"user", "rw", "accessed", "dirty", "nx", "exclusive"}
    return Kind("present", " ".join(usual - set(lacks.split())) + f" {has}",
                f"file zero special prot_none uffd_wp {lacks}", **more)


def huge(has="", lacks="", **more):
    return anon(f"leaf {has}", lacks, level="pmd", **more)


def hugetlb(has="", lacks="", level="pmd", **more):
    return Kind("present", f"leaf hugetlb user {has}", f"zero {lacks}",
                level=level, **more)


def every_third(entries, start, end):
    same([e["va"] for e in entries], list(range(start, end, 3 * PAGE)),
         "addresses of the entries")


def one_gib_apart(entries, start, _):
    gib = 1 << 30
    same([e["va"] - start for e in entries],
         [0, 7 * gib + 12345 * PAGE, 33 * gib - PAGE, 64 * gib - PAGE],
         "addresses of the entries")
    same(["zero" in e["flags"] for e in entries],
         [False, False, True, False], "zero pages")


def alternating(entries, *_):
    same(["rw" in e["flags"] for e in entries], [False, True] * 32,
         "writable pages")


def merged(entries, *_):
    half = len(entries) // 2
    same([e["pfn"] for e in entries[:half]],
         [e["pfn"] for e in entries[half:]], "frames of merged pages")


def protection_key(entries, *_):
    for entry in entries:
        expect(entry["raw"] >> 59 & 15, f"no key in raw {entry['raw']:#x}")


def split_thp(entries, *_):
    same(len(entries), MIB2 // PAGE, "entries")
    same([e["va"] for e in entries if "rw" not in e["flags"]],
         [entries[7]["va"]], "entries that aren't writable")
    same([e["pfn"] - entries[0]["pfn"] for e in entries],
         list(range(MIB2 // PAGE)), "frames of the split huge page")


def second_swap(entries, *_):
    for entry in entries:
        same(entry["swap"]["type"], 1, "swap type")
    slots = {entry["swap"]["offset"] for entry in entries}
    same(len(slots), len(entries), "different slots")
    expect(0 not in slots, "slot 0 holds the device's header")


def poisoned(entries, *_):
    for entry in entries:
        flags = pagemap.kpage("kpageflags", entry["pfn"])
        expect(flags & 1 << 19, f"PFN {entry['pfn']:#x} isn't HWPOISON")


def bios(entries, *_):
    same([e["pfn"] for e in entries], list(range(0xf0, 0x100)),
         "frames of the BIOS")


def not_memory(entries, *_):
    for entry in entries:
        expect(not pagemap.is_ram(entry["pfn"]),
               f"PFN {entry['pfn']:#x} is memory")


def swap(has="", lacks=""):
    return Kind("swap", has, f"{lacks} user file exclusive", check=second_swap)


def marker(*names, level="pte", has="", may_miss=False):
    return Kind("marker", has, "user file exclusive", level=level,
                marker=names, may_miss=may_miss)


NONE = "none"

KINDS = {
    # anonymous memory in pages of 4 KiB
    "anon": anon("soft_dirty anon_exclusive"),
    "soft_clean": anon(lacks="soft_dirty accessed rw"),
    "soft_dirty": anon("soft_dirty"),
    "zero": Kind("present", "user zero special nx",
                 "rw dirty file exclusive anon_exclusive"),
    "untouched": Kind(NONE),
    "every_third": anon(check=every_third),
    "border_2m": anon(),
    "border_1g": anon(),
    "border_512g": anon(),
    "prot_none": Kind("present", "prot_none dirty exclusive",
                      "user rw zero file"),
    "prot_none_zero": Kind("present", "prot_none zero", "user rw file dirty"),
    "read_only": anon(lacks="rw"),
    "executable": anon(lacks="rw nx"),
    "pkey": anon(may_miss=True, check=protection_key),
    "locked": anon(),
    "locked_on_fault": anon(),
    "locked_untouched": Kind(NONE),
    "lazyfree": anon(lacks="dirty accessed"),
    "moved": anon("soft_dirty"),
    "reserved_1t": Kind(NONE),
    "sparse_64g": Kind("present", check=one_gib_apart),
    "guard": marker("guard", may_miss=True),
    "guard_beside": anon(may_miss=True),
    "anon_name": anon(may_miss=True),
    "many_vmas": Kind("present", "user dirty exclusive", check=alternating),
    "grows_down": anon(),
    "ksm": Kind("present", "user nx", "rw exclusive anon_exclusive file",
                check=merged),
    "hwpoison": Kind("hwpoison", "", "user rw", may_miss=True,
                     check=poisoned),
    "hwpoison_beside": anon(may_miss=True),
    # files and devices
    "file_clean": Kind("present", "user file exclusive nx",
                       "rw dirty anon_exclusive"),
    "file_cow": anon("anon_exclusive"),
    "file_shared": Kind("present", "user file exclusive nx", "zero"),
    "file_offset": Kind("present", "user file", "rw dirty"),
    "file_short": Kind("present", "user file", "rw dirty"),
    "file_beyond": Kind(NONE),
    "shared_anon": Kind("present", "user rw dirty file exclusive",
                        "anon_exclusive"),
    "shared_anon_name": Kind("present", "user rw dirty file exclusive",
                             "anon_exclusive", may_miss=True),
    "file_locked": Kind("present", "user file exclusive nx", "zero"),
    "memfd": Kind("present", "user rw dirty file exclusive",
                  "anon_exclusive"),
    "memfd_name": Kind("present", "user rw dirty file exclusive",
                       "anon_exclusive"),
    "memfd_twice": Kind("present", "user rw dirty file", "exclusive"),
    "memfd_twice_read": Kind("present", "user file", "rw exclusive dirty"),
    "sysv": Kind("present", "user rw dirty file exclusive", "anon_exclusive"),
    "secret": Kind("present", "user rw dirty", "zero", may_miss=True),
    "bios": Kind("present", "user special", "rw file exclusive zero",
                 may_miss=True, check=bios),
    "device": Kind("present", "user rw special", "file exclusive zero",
                   may_miss=True, check=not_memory),
    "names": Kind("present", "user file", "rw dirty"),
    "deleted": Kind("present", "user file", "rw dirty"),
    # transparent huge pages
    "huge_zero": Kind("present", "user zero leaf",
                      "rw dirty exclusive anon_exclusive", level="pmd"),
    "thp": huge("soft_dirty anon_exclusive"),
    "thp_split": Kind("present", "user exclusive", "leaf file",
                      check=split_thp),
    "thp_prot_none": Kind("present", "prot_none leaf dirty",
                          "user rw file", level="pmd"),
    "thp_soft_clean": huge(lacks="soft_dirty rw accessed"),
    "thp_soft_dirty": huge("soft_dirty"),
    "thp_shmem": Kind("present", "user rw dirty leaf file exclusive",
                      "anon_exclusive", level="pmd"),
    "thp_locked": huge(),
    "thp_shmem_copied": anon("anon_exclusive", may_miss=True),
    "thp_shmem_private": Kind("present", "user file", "rw", may_miss=True),
    "thp_collapsed": huge(),
    "mthp": anon(may_miss=True),
    # hugetlb
    "hugetlb": hugetlb("rw dirty accessed exclusive anon_exclusive", "file"),
    "hugetlb_untouched": Kind(NONE),
    "hugetlb_shared": hugetlb("rw dirty file exclusive", "anon_exclusive"),
    "hugetlb_memfd": hugetlb("file exclusive", "rw anon_exclusive"),
    "hugetlb_prot_none": Kind("present", "prot_none leaf hugetlb",
                              "user rw", level="pmd"),
    # Not "exclusive": 7.3's kernel asks a PUD's table whether it
    # is shared, which only a PMD's can tell.
    "hugetlb_1g": hugetlb("rw dirty accessed", "file", level="pud",
                          may_miss=True),
    "hugetlb_hwpoison": Kind("hwpoison", "hugetlb", "user rw", level="pmd",
                             may_miss=True),
    # shared with a forked child
    "cow": anon(lacks="rw exclusive anon_exclusive"),
    "cow_broken": anon("anon_exclusive"),
    "shared_by_two": Kind("present", "user rw dirty file", "exclusive"),
    "shared_by_one": Kind("present", "user rw dirty file exclusive"),
    "thp_cow": huge(lacks="rw exclusive anon_exclusive"),
    "thp_halved": Kind("present", "user dirty leaf", "rw file",
                       level="pmd"),
    "mthp_halved": Kind("present", "user dirty", "rw file", may_miss=True),
    "hugetlb_cow": hugetlb("dirty", "rw exclusive anon_exclusive file"),
    # swapped out
    "swap": swap("anon_exclusive soft_dirty", "uffd_wp"),
    "swap_shared": swap(lacks="anon_exclusive"),
    "swap_soft_clean": swap("anon_exclusive", "soft_dirty"),
    "swap_soft_dirty": swap("anon_exclusive soft_dirty"),
    "swap_back": Kind("present", "user exclusive", "file zero"),
    "swap_shmem": Kind(NONE),
    "swap_shmem_copied": anon("anon_exclusive"),
    "swap_shmem_private": Kind(NONE),
    "swap_shmem_part": Kind(NONE),
    "swap_shmem_there": Kind("present", "user rw dirty file exclusive"),
    "swap_thp": swap(),
    "swap_prot_none": swap("anon_exclusive"),
    # userfaultfd
    "uffd_wp": Kind("present", "user dirty uffd_wp exclusive", "rw file"),
    "uffd_unprotected": anon(),
    "uffd_wp_zero": Kind("present", "user zero uffd_wp", "rw file"),
    "uffd_unprotected_zero": Kind("present", "user zero", "rw uffd_wp"),
    "uffd_wp_thp": Kind("present", "user leaf dirty uffd_wp", "rw file",
                        level="pmd"),
    "uffd_unprotected_thp": huge(),
    "uffd_marker": marker("uffd", has="uffd_wp", may_miss=True),
    "uffd_no_marker": Kind(NONE, may_miss=True),
    "uffd_wp_shmem": Kind("present", "user uffd_wp file", "rw"),
    "uffd_unprotected_shmem": Kind("present", "user rw file", "uffd_wp"),
    "uffd_marker_shmem": marker("uffd", has="uffd_wp"),
    "uffd_no_marker_shmem": Kind(NONE),
    "uffd_marker_swap": marker("uffd", has="uffd_wp"),
    "uffd_wp_swap": swap("uffd_wp"),
    "uffd_wp_hugetlb": hugetlb("uffd_wp file", "rw"),
    "uffd_unprotected_hugetlb": hugetlb("rw file", "uffd_wp"),
    "uffd_marker_hugetlb": marker("uffd", level="pmd",
                                  has="uffd_wp hugetlb"),
    "uffd_no_marker_hugetlb": Kind(NONE),
    "uffd_poison": marker("poison", may_miss=True),
    "uffd_poison_hugetlb": marker("poison", level="pmd", may_miss=True),
    "uffd_wp_file": Kind("present", "user uffd_wp file", "rw dirty",
                         may_miss=True),
    "uffd_rwp": Kind("present", "prot_none uffd_wp dirty", "user zero",
                     may_miss=True),
    "uffd_rwp_thp": Kind("present", "prot_none uffd_wp leaf", "user",
                         level="pmd", may_miss=True),
}

# Regions that one maker makes, under the name it is missing by.
MADE_BY = {
    "soft_clean": "soft_dirty", "border_2m": "borders",
    "border_1g": "borders", "prot_none_zero": "prot_none",
    "guard_beside": "guard", "hwpoison_beside": "hwpoison",
    "locked_untouched": "locked_on_fault",
    "thp_shmem_copied": "thp_shmem_private",
    "swap_shmem_copied": "swap_shmem_private",
    "swap_shmem_there": "swap_shmem_part",
    "file_beyond": "file_short", "memfd_twice_read": "memfd_twice",
    "thp_soft_dirty": "thp_soft_clean", "hugetlb_untouched": "hugetlb",
    "shared_by_two": "shared", "shared_by_one": "shared",
    "swap_soft_clean": "swap_soft", "swap_soft_dirty": "swap_soft",
    "uffd_unprotected": "uffd_wp", "uffd_unprotected_zero": "uffd_wp_zero",
    "uffd_unprotected_thp": "uffd_wp_thp", "uffd_no_marker": "uffd_marker",
    "uffd_unprotected_shmem": "uffd_wp_shmem",
    "uffd_no_marker_shmem": "uffd_marker_shmem",
    "uffd_unprotected_hugetlb": "uffd_wp_hugetlb",
    "uffd_no_marker_hugetlb": "uffd_marker_hugetlb",
}

SIZES = {"pte": PAGE, "pmd": MIB2, "pud": 1 << 30}

# Flags that a kernel may lack; the module says which it has.
# Regions that kernels before a release can't have.
SINCE = {
    "thp_collapsed": (6, 1),  # MADV_COLLAPSE
    **dict.fromkeys((  # userfaultfd's WP_HUGETLBFS_SHMEM
        "uffd_wp_shmem", "uffd_unprotected_shmem", "uffd_marker_shmem",
        "uffd_no_marker_shmem", "uffd_marker_swap", "uffd_wp_hugetlb",
        "uffd_unprotected_hugetlb", "uffd_marker_hugetlb",
        "uffd_no_marker_hugetlb"), (5, 19)),
}
# Until 5.19 a change of protection took the write bit from private pages.
LACKED_BEFORE = {"pkey": ("rw", (5, 19))}

FIELDS = {"anon_exclusive", "soft_dirty", "uffd_wp"}


@lib.once
def missing_fields():
    return FIELDS - set(lib.observe("info")["fields"])


def check_entry(kind, entry):
    where = f"{entry['va']:#x}"
    same(entry["state"], kind.state, f"state at {where}")
    same(entry["level"], kind.level, f"level at {where}")
    same(entry["size"], SIZES[kind.level], f"size at {where}")
    same(set(entry.get("marker", ())), kind.marker, f"marker at {where}")
    lost = kind.has - entry["flags"] - missing_fields()
    expect(not lost, f"no {' '.join(sorted(lost))} at {where}")
    wrong = kind.lacks & entry["flags"]
    expect(not wrong, f"{' '.join(sorted(wrong))} at {where}")


def was_written_or_moved(entry):
    """x86 sets the bit also where a dirty page is mapped again after it was
    moved, as compaction does at any time: then pagemap has it, too."""
    page, = pagemap.pagemap(machine.workload().pid, entry["va"], 1)
    return bool(page & pagemap.SOFT_DIRTY)


def check_region(kind, start, end):
    entries = [e for e in machine.entries_of_workload() if start <= e["va"] < end]
    if "soft_dirty" in kind.lacks:
        stayed = [e for e in entries if not was_written_or_moved(e)]
        expect(stayed, "all are soft-dirty")
        for entry in stayed:
            same(entry["flags"] & {"soft_dirty"}, set(), f"{entry['va']:#x}")
        entries = [dict(e, flags=e["flags"] - {"soft_dirty"}) for e in entries]
    if kind.state == NONE:
        same([hex(e["va"]) for e in entries], [], "entries")
        return
    expect(entries, f"no entries in {start:#x}-{end:#x}")
    for entry in entries:
        check_entry(kind, entry)
    if kind.check:
        kind.check(entries, start, end)
    else:
        same(sum(e["size"] for e in entries), end - start, "bytes covered")


@test(*KINDS)
def kind(name):
    workload = machine.workload()
    made_by = MADE_BY.get(name, name)
    if made_by in workload.missing:
        reason = workload.missing[made_by]
        expect(KINDS[name].may_miss or
               lib.kernel_release() < SINCE.get(name, (0, 0)),
               f"the workload has none: {reason}")
        raise Skip(reason)
    expect(name in workload.regions, "the workload says nothing of it")
    flag, since = LACKED_BEFORE.get(name, (None, (0, 0)))
    wanted = KINDS[name]
    if lib.kernel_release() < since:
        wanted = copy.copy(wanted)
        wanted.has = wanted.has - {flag}
    for start, end in workload.regions[name]:
        check_region(wanted, start, end)


@test(needs_module=False)
def kinds_are_all_expected():
    """The workload makes nothing that the table above doesn't judge."""
    same(sorted(set(machine.workload().regions) - set(KINDS)), [],
         "regions that no test looks at")
