# SPDX-License-Identifier: GPL-2.0-only
"""mmlens page-types: what the kernel's tool makes of kpageflags, kpagecount,
kpagecgroup and pagemap, made of them here once more."""
import array
import collections
import functools
import json
import os

import lib
import machine
import pagemap
from lib import PAGE, expect, same, test
from test_pages import BITS, Look, all_are_ksm, bit, everybodys
from test_pfns import kernel_file

# Of tools/mm/page-types.c of 7.3, in its order.
LETTERS = (
    "0L 1E 2R 3U 4D 5l 6A 7S 8W 9I 10B 11M 12a 13s 14b 15H 16T 17G 18u 19X "
    "20n 21x 22t 23o 24z 25i 26g 32r 33m 34d 35P 36p 37O 38h 40f 41H 47d 48I "
    "50A 51E 61F 62w 631").split()
LETTERS = [(1 << int(word[:-1]), word[-1]) for word in LETTERS]
NAMES = {1 << number: name.replace("mappedtodisk", "owner_2")
         for name, number in reversed(BITS.items())}
NAMES.update({1 << number: name for number, name in (
    (47, "anon_exclusive"), (48, "readahead"), (50, "slub_frozen"),
    (51, "slub_debug"), (61, "file"), (62, "swap"), (63, "mmap_exclusive"))})
HACKERS = 0xffff << 32
COMPOUND = bit("compound_head") | bit("compound_tail")
PM_SOFT_DIRTY, PM_EXCLUSIVE, PM_FILE, PM_SWAP, PM_PRESENT = (
    1 << number for number in (55, 56, 61, 62, 63))


@functools.lru_cache(None)
def letters(flags):
    return "".join(letter if flags & one else "_" for one, letter in LETTERS)


def names(flags):
    return ",".join(NAMES[one] for one, _ in LETTERS if flags & one)


def known(flags):
    flags &= ~HACKERS
    return flags if flags & bit("huge") else flags & ~COMPOUND


def moved(flags, one, other):
    return flags & ~one | other if flags & one else flags


def raw(flags, entry=0):
    if flags & bit("anonymous"):
        flags = moved(flags, 1 << 34, 1 << 47)
    if flags & bit("slab"):
        flags = moved(flags, bit("active"), 1 << 50)
        flags = moved(flags, bit("error"), 1 << 51)
    if not flags & bit("writeback"):
        flags = moved(flags, bit("reclaim"), 1 << 48)
    for one, other in ((PM_SOFT_DIRTY, 1 << 40), (PM_FILE, 1 << 61),
                       (PM_SWAP, 1 << 62), (PM_EXCLUSIVE, 1 << 63)):
        if entry & one:
            flags |= other
    return flags


# ---- the table ----

def counts(shown):
    found = collections.Counter()
    for flags, pages in collections.Counter(
            kernel_file("kpageflags")).items():
        # What 6.12 says of all anonymous pages.
        if all_are_ksm():
            flags &= ~bit("ksm")
        found[shown(flags)] += pages
    return found


HEAD = "             flags\tpage-count       MB  symbolic-flags\t\t\t" \
       "long-symbolic-flags"


def check_line(line):
    """Its flags and pages."""
    flags = int(line[:18], 16)
    pages = int(line.split("\t")[1].split()[0])
    same(line, f"{flags:#018x}\t{pages:10} {pages * PAGE >> 20:8}  "
               f"{letters(flags)}\t{names(flags)}", "a line")
    return flags, pages


@test("known", "raw")
def page_types_count_the_kernels_pages(mode):
    machine.workload()
    shown = raw if mode == "raw" else known
    before = counts(shown)
    text = lib.observer_ok("page-types", *["-r"] * (mode == "raw")).decode()
    after = counts(shown)
    head, *lines, last = text.splitlines()
    same(head, HEAD, "heading")
    ours = dict(map(check_line, lines))
    total = sum(before.values())
    same(sum(ours.values()), total, "pages in the table")
    same(last, f"             total\t{total:10} {total * PAGE >> 20:8}",
         "last line")
    # Without zero pages of which some kernels don't tell.
    drift = max(total // 50, 1024)
    for flags in set(before) | set(after) | set(ours):
        few, many = sorted((before[flags], after[flags]))
        expect(few - drift <= ours.get(flags, 0) <= many + drift,
               f"{names(flags)}: {ours.get(flags, 0)} pages, "
               f"{few} to {many}")
    steady = [flags for flags in before if before[flags] == after[flags]]
    right = sum(ours.get(flags) == before[flags] for flags in steady)
    expect(right >= len(steady) * 3 // 4,
           f"{right} of {len(steady)} sets of flags are right")


@test()
def page_types_lists_are_of_the_kernels_pages():
    """The kernel's own pages, which stay what they are."""
    def once():
        flags = kernel_file("kpageflags")
        runs, wanted = [], bit("reserved")
        for pfn, value in enumerate(flags):
            if not value & wanted:
                continue
            value = raw(value)
            if runs and runs[-1][0] + runs[-1][1] == pfn and \
                    runs[-1][2] == value:
                runs[-1][1] += 1
            else:
                runs.append([pfn, 1, value])
        text = lib.observer_ok("page-types", "-rlNb", "reserved").decode()
        same(text.splitlines(), ["offset\tlen\tflags"] + [
            f"{pfn:x}\t{count:x}\t{letters(value)}"
            for pfn, count, value in runs], "the list")
        # A hole is one, or none.
        first = next(pfn for pfn, value in enumerate(flags) if value)
        text = lib.observer_ok("page-types", "-LrN", "-a",
                               f"{first},{first + 5}").decode()
        same([line.split("\t")[0] for line in text.splitlines()[1:]],
             [f"{pfn:x}" for pfn in range(first, first + 5)], "one by one")
    lib.settles(once)()


# ---- a process ----

MOST = 1 << 15          # pages: more of one kind are only more of the same


def areas_of(pid):
    """First page number and that after the last."""
    # Names of files may be anything.
    for line in lib.read(f"/proc/{pid}/maps", "rb").splitlines():
        start, end = (int(text, 16) // PAGE for text in
                      line.split()[0].split(b"-"))
        if start < 1 << 51:
            yield start, end


def ranges_of(pid):
    """All addresses without those of its largest areas."""
    at = 0
    for start, end in areas_of(pid):
        if end - start > MOST:
            yield at, start
            at = end
    yield at, 1 << 51


def entries_of(pid, first, last):
    """Page number and pagemap's entry of all that isn't empty."""
    found = []
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        for start, end in areas_of(pid):
            if not first <= start < last:
                continue
            data = array.array("Q", os.pread(file.fileno(), (end - start) * 8,
                                             start * 8))
            found += [(start + n, entry) for n, entry in enumerate(data)
                      if entry & (PM_PRESENT | PM_SWAP)]
    return found


def lines_of(entries, look):
    """As the tool lists them, with all it can say."""
    for page, entry in entries:
        pfn = entry & pagemap.FRAME
        if entry & PM_PRESENT and pfn:
            yield page, (look.cgroup[pfn], look.count[pfn], pfn,
                         raw(look.flags[pfn], entry))
        elif entry & PM_SWAP:
            yield page, (0, 0, pfn >> 5, raw(0, entry))


def parse_list(text):
    head, *lines = text.splitlines()
    same(head, "voffset\tcgroup\tmap-cnt\toffset\tflags", "heading")
    for line in lines:
        page, memcg, count, offset, flags = line.split("\t")
        yield int(page, 16), (int(memcg[1:]), int(count), int(offset, 16),
                              flags)


def check_lines(ours, old, new):
    pages, wanted = [page for page, _ in ours], [page for page, _ in old]
    odd = sorted(set(pages) ^ set(wanted))
    expect(not odd, f"{len(odd)} pages of one alone: "
           + " ".join(f"{page:x}" for page in odd[:8]))
    same(len(pages), len(wanted), "pages")
    expect(pages == sorted(pages), "not in order of address")
    # pagemap of some kernels says more or less of these (docs/kernels.md).
    loose = 1 << 61 | 1 << 63 | 1 << 40
    if all_are_ksm():
        loose |= bit("ksm")
    wrong, shared = [], everybodys()
    for (page, line), (_, one), (_, other) in zip(ours, old, new):
        if one != other:
            continue
        # The reader's own mapping of the vDSO.
        mine = {0, int(one[2] in shared)}
        if (line[0], line[2]) != (one[0], one[2]) or \
                line[1] - one[1] not in mine:
            wrong.append(f"{page:x}: {line}, the kernel {one}")
        if line[3] != letters(one[3]) and not any(
                line[3] == letters(one[3] & ~loose | some)
                for some in subsets(loose)):
            wrong.append(f"{page:x}: {line[3]}, not {letters(one[3])}")
    expect(not wrong, f"{len(wrong)} lines\n" + "\n".join(wrong[:6]))


def check_range(pid, first, last):
    """The list of one range of addresses. Returns its lines."""
    entries = entries_of(pid, first, last)
    frames = {entry & pagemap.FRAME for _, entry in entries
              if entry & PM_PRESENT}
    where = ("-p", pid, "-a", f"{first},{last}")
    before = Look(frames)
    text = lib.observer_ok("page-types", *where, "-rLCMN").decode()
    after = Look(frames)
    ours = list(parse_list(text))
    check_lines(ours, list(lines_of(entries, before)),
                list(lines_of(entries, after)))
    # What is left of that is the same in ranges and in the table.
    document = json.loads(lib.observer_ok("page-types", *where, "-l",
                                          "--json"))
    same(document["total"], len(ours), "pages in all")
    same(sum(run["count"] for run in document["pages"]), len(ours),
         "pages in ranges")
    same(sum(kind["pages"] for kind in document["types"]), len(ours),
         "pages in the table")
    return len(ours)


@test("shell", "session", "workload")
@lib.settles
def page_types_of_a_process(target):
    pid = machine.TARGETS[target]()
    pages = sum(check_range(pid, *pages) for pages in ranges_of(pid))
    expect(pages > 50, f"only {pages} pages")


def subsets(bits):
    some = bits
    while True:
        yield some
        if not some:
            return
        some = (some - 1) & bits


@test()
def page_types_errors():
    for arguments, status in ((["-a", "x"], 2), (["-b", "nonsense"], 2),
                              (["-p", "0"], 2),
                              (["-p", lib.free_pid()], 42),
                              (["-p", lib.kernel_thread()], 1)):
        same(lib.mmlens("page-types", *arguments).returncode, status,
             f"status with {arguments}")
