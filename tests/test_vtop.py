# SPDX-License-Identifier: GPL-2.0-only
"""A translation leads, table by table, to the frame that pagemap has.

What stands in the tables is read a second time through /proc/kcore, which
shows physical memory.
"""
import os
import struct

import lib
import machine
import pagemap
from lib import PAGE, expect, same, test
from pagemap import RAW_PFN

LEVELS = ["pgd", "p4d", "pud", "pmd", "pte"]
# Tables whose pages the kernel marks as such in kpageflags.
MARKED = {"pte", "pmd"} if lib.kernel_release() < (6, 14) else set(LEVELS)


@lib.once
def levels():
    """The names of this machine's levels, from the top."""
    if "la57" in lib.read("/proc/cpuinfo").split() and \
            "no5lvl" not in lib.read("/proc/cmdline").split():
        return LEVELS
    return [name for name in LEVELS if name != "p4d"]


def shift(level):
    """log2 of the bytes that an entry of the level translates."""
    return 12 + 9 * levels()[::-1].index(level)


class Kcore:
    """Physical memory, as the kernel's own core file shows it."""

    def __init__(self):
        self.file = open("/proc/kcore", "rb", buffering=0)
        head = self.file.read(64)
        same(head[:4], b"\x7fELF", "/proc/kcore begins with")
        offset, = struct.unpack_from("Q", head, 32)
        size, count = struct.unpack_from("HH", head, 54)
        table = os.pread(self.file.fileno(), size * count, offset)
        self.segments = []
        for at in range(0, size * count, size):
            kind, _, where, address, physical, length = struct.unpack_from(
                "IIQQQQ", table, at)
            # The image's own addresses show zeroes where the kernel has
            # freed a part of it, whatever that memory is used for now.
            if (kind == 1 and physical < 1 << 52 and
                    address < 0xffffffff80000000):
                self.segments.append((physical, length, where))

    def word(self, physical):
        for start, length, where in self.segments:
            if start <= physical < start + length:
                data = os.pread(self.file.fileno(), 8,
                                where + physical - start)
                return struct.unpack("Q", data)[0]
        raise lib.Failure(f"/proc/kcore has no {physical:#x}")


@lib.once
def kcore():
    return Kcore()


@lib.once
def isolated():
    """Has a process a second top table, which user mode runs with?"""
    return "pti" in lib.read("/proc/cpuinfo").split()


def raws_of(steps):
    """The entries that the processor goes by in user mode.

    With page-table isolation the kernel's top table forbids to execute what is
    the user's; the other one stands behind it.
    """
    raws = [step["raw"] for step in steps]
    if isolated():
        top = steps[0]
        raws[0] = kcore().word((top["table_pfn"] + 1) * PAGE +
                               top["index"] * 8)
    return raws


def translate(pid, addresses):
    """The reader's translations; all numbers are numbers."""
    document = lib.observe("vtop", pid, *(f"{a:#x}" for a in addresses))
    found = document["addresses"]
    same([int(t["va"], 16) for t in found], addresses, "addresses")
    for translation in found:
        for level in translation["levels"]:
            level["raw"] = int(level["raw"], 16)
            level["flags"] = frozenset(level["flags"])
    return found


def sample(pid):
    """An address in the middle of some page of each VMA's both ends."""
    addresses = []
    for vma in pagemap.maps(pid):
        addresses += [vma.start + 0x123, vma.end - PAGE + 0xff8]
    return sorted(set(addresses))


def check_order(steps):
    """From the top, without a gap, down to the first that is no table."""
    same([step["level"] for step in steps], levels()[:len(steps)], "levels")
    for step in steps[:-1]:
        same(step["state"], "table", "state above the last level")
    expect(steps[-1]["state"] != "table", "the last level is a table")


def check_level(va, level):
    where = f"{level['level']} of {va:#x}"
    same(level["index"], va >> shift(level["level"]) & 511,
         f"index in the {where}")
    same(int(level["table"], 16), level["table_pfn"] * PAGE,
         f"address of the {where}")
    same(hex(kcore().word(level["table_pfn"] * PAGE + level["index"] * 8)),
         hex(level["raw"]), f"/proc/kcore and raw at the {where}")
    flags = pagemap.kpage("kpageflags", level["table_pfn"])
    if level["level"] in MARKED:
        expect(flags & pagemap.KPF_PGTABLE,
               f"the table of the {where} isn't PGTABLE: {flags:#x}")
    else:
        # in use, but neither cache nor anonymous nor free
        same(flags & pagemap.KPF_OTHER_USE, 0, f"page flags of the table of the {where}")


def check_links(va, steps):
    """Each raw entry is where the next table is."""
    for upper, lower in zip(steps, steps[1:]):
        same((upper["raw"] & RAW_PFN) // PAGE, lower["table_pfn"],
             f"table below the {upper['level']} of {va:#x}")
        same(upper["pfn"], lower["table_pfn"],
             f"pfn of the {upper['level']} of {va:#x}")


def check_target(va, translation, known, bare):
    """The last entry's frame, and the offset in it."""
    last = translation["levels"][-1]
    size = 1 << shift(last["level"])
    if last["state"] in ("present", "numa_hint"):
        pfn = last["pfn"] + (va & size - 1) // PAGE
        if not bare:
            expect(known & pagemap.PRESENT, f"{va:#x} isn't in pagemap")
            same(pfn, known & pagemap.FRAME, f"frame of {va:#x}")
        same(pagemap.raw_pfn(last["raw"], size), last["pfn"],
             f"frame in the raw entry of {va:#x}")
        # The page is there even where the processor may not use it.
        same(int(translation["phys"], 16), pfn * PAGE + va % PAGE,
             f"physical address of {va:#x}")
        same(translation["page_size"], size, f"page size at {va:#x}")
        check_effective(va, translation)
    else:
        expect("phys" not in translation, f"{va:#x} isn't mapped")


def check_effective(va, translation):
    """What all levels allow."""
    raws = raws_of(translation["levels"])
    effective = translation["effective"]
    same(effective["rw"], all(raw >> 1 & 1 for raw in raws), f"rw of {va:#x}")
    same(effective["user"], all(raw >> 2 & 1 for raw in raws),
         f"user of {va:#x}")
    same(effective["nx"], any(raw >> 63 for raw in raws), f"nx of {va:#x}")


def allowed(raws):
    """What x86's bits of all those levels allow together."""
    names = set()
    if all(raw >> 2 & 1 for raw in raws):
        names.add("user")
    if all(raw >> 1 & 1 for raw in raws):
        names.add("rw")
    if any(raw >> 63 for raw in raws):
        names.add("nx")
    return names


def effective_of(entry):
    """Names of what an entry and those above it allow."""
    return set(entry["effective"])


def check_effective_levels(va, steps):
    """Each level's own bits and those above it."""
    raws = raws_of(steps)
    for at, step in enumerate(steps):
        if not step["raw"] & 1:
            continue
        same(effective_of(step), allowed(raws[:at + 1]),
             f"effective permissions at the {step['level']} of {va:#x}")


def check_process(pid, addresses):
    same(lib.observe("info")["levels"], len(levels()), "levels of tables")
    bare = [v for v in pagemap.smaps(pid).items() if "pf" in v[1]["VmFlags"]]
    bare = [range(start, start + fields["Size"] * 1024)
            for start, fields in bare]
    tops = set()
    kinds = set()
    for translation in translate(pid, addresses):
        va, steps = int(translation["va"], 16), translation["levels"]
        expect(steps, f"no translation of {va:#x}")
        check_order(steps)
        for step in steps:
            check_level(va, step)
        check_links(va, steps)
        check_effective_levels(va, steps)
        known = pagemap.pagemap(pid, va & ~(PAGE - 1), 1)[0]
        check_target(va, translation, known,
                     any(va in vma for vma in bare))
        tops.add(steps[0]["table_pfn"])
        kinds.add((steps[-1]["level"], steps[-1]["state"]))
    same(len(tops), 1, "different tables at the top of one process")
    return kinds


@test("shell", "redis", "python")
def vtop_of(target):
    pid = machine.TARGETS[target]()
    kinds = check_process(pid, sample(pid))
    expect(("pte", "present") in kinds, f"only {kinds}")


@test()
def vtop_of_each_kind():
    """Leaves of each size, and all that isn't there."""
    workload = machine.workload()
    addresses = sorted(
        start + offset for ranges in workload.regions.values()
        for start, end in ranges
        for offset in {0x238, (end - start) // 2 + 8, end - start - 8})
    kinds = check_process(workload.pid, addresses)
    expect({("pte", "present"), ("pmd", "present"), ("pte", "swap")} <= kinds,
           f"only {kinds}")


@test()
def vtop_of_1g():
    """A leaf of 1 GiB."""
    workload = machine.workload()
    if "hugetlb_1g" in workload.missing:
        raise lib.Skip(workload.missing["hugetlb_1g"])
    start, end = workload.regions["hugetlb_1g"][0]
    kinds = check_process(workload.pid, [
        start, start + 0x12345678, end - 1])
    same(kinds, {("pud", "present")}, "levels of the leaf")


@lib.once
def entries_now():
    """Those of the workload; files may have been written back since it was
    looked at first, which makes their entries clean."""
    return pagemap.entries_of(machine.workload().pid)


@test()
def vtop_agrees_with_pte():
    """Both show the same raw entries."""
    workload = machine.workload()
    entries = [e for e in entries_now() if e["va"] % 7 < 3]
    entries = entries[::max(1, len(entries) // 200)]
    found = translate(workload.pid, [e["va"] for e in entries])
    for entry, translation in zip(entries, found):
        last = translation["levels"][-1]
        same((last["level"], hex(last["raw"]), last["state"]),
             (entry["level"], hex(entry["raw"]), entry["state"]),
             f"last level of {entry['va']:#x}")


@test()
def pte_tells_effective_permissions():
    """The last level's, as vtop finds them from the top."""
    workload = machine.workload()
    entries = [e for e in entries_now()
               if e["state"] == "present" and e["raw"] & 1]
    entries = entries[::max(1, len(entries) // 300)]
    for entry, translation in zip(entries, translate(
            workload.pid, [e["va"] for e in entries])):
        raws = raws_of(translation["levels"])
        same(hex(raws[-1]), hex(entry["raw"]), f"raw at {entry['va']:#x}")
        same(effective_of(entry), allowed(raws),
             f"effective permissions at {entry['va']:#x}")


@test()
def vtop_under_isolation():
    """What the kernel's half forbids, the process may do."""
    if not isolated():
        raise lib.Skip("page-table isolation is off (pti=on)")
    text = next(vma for vma in pagemap.maps(machine.workload().pid)
                if "x" in vma.perms)
    translation, = translate(machine.workload().pid, [text.start])
    expect(translation["levels"][0]["raw"] >> 63, "the kernel's half allows it")
    expect(not translation["effective"]["nx"], "the process may not execute")


@test()
def vtop_without_a_mapping():
    """An address in no VMA has no translation."""
    workload = machine.workload()
    hole = workload.regions["anon"][0][0] - (16 << 20)
    translation, = translate(workload.pid, [hole])
    same(translation["levels"], [], "levels")
    expect("phys" not in translation, "a physical address")
