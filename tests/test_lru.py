# SPDX-License-Identifier: GPL-2.0-only
"""The LRU lists, against the kernel's own: zoneinfo, memory.numa_stat and
lru_gen for how long they are, kpageflags and kpagecgroup for what is on them,
and the order in which reclaim takes pages."""
import collections
import ctypes
import itertools
import mmap
import os
import re

import cgroups
import lib
import machine
import records
from lib import Skip, expect, note, same, settles, test
from test_pages import all_are_ksm, bit
from test_pfns import kernel_file

KINDS = "classic", "generations"
NAMES = (None, "inactive_anon", "active_anon", "inactive_file", "active_file",
         "unevictable")
UNEVICTABLE = 5
PAGE = mmap.PAGESIZE
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p


def is_file(part):
    return part.lru in (3, 4)


def size(part):
    return sum(1 << folio.order for folio in part.folios)


def flush():
    """CPUs keep counts, and pages that aren't on their list yet, to
    themselves."""
    machine.quiet()
    lib.write("/proc/sys/vm/stat_refresh", "1")


def lists():
    found = records.lru_lists()
    expect(found, "no LRU lists")
    for part in found:
        expect(not part.flags & records.LIST_CUT, f"{part} was cut")
    return found


# ---- how long they are ----

def zone_counters():
    """zoneinfo: what is on LRU lists, by node and zone."""
    found, key = {}, None
    for line in lib.read("/proc/zoneinfo").splitlines():
        if head := re.match(r"Node (\d+), zone +(\S+)", line):
            key = int(head[1]), head[2]
            found[key] = collections.Counter()
        elif count := re.match(r" +nr_zone_((in)?active_(anon|file)|"
                               r"unevictable) +(\d+)", line):
            found[key][count[1]] = int(count[4])
    return found


def node_totals(counts):
    """By node and type: what is active counts with what isn't, as
    generations are counted as either."""
    total = collections.Counter()
    for (node, _), zone in counts.items():
        for name, pages in zone.items():
            total[node, name.split("_")[-1]] += pages
    return total


def type_of(part):
    return NAMES[part.lru].split("_")[-1]


@test(*KINDS)
@settles
def lru_lengths_are_zoneinfos(kind):
    with cgroups.lists_of(kind):
        flush()
        wanted = node_totals(zone_counters())
        parts = lists()
        after = node_totals(zone_counters())
    got, told = collections.Counter(), collections.Counter()
    for part in parts:
        got[part.node, type_of(part)] += part.pages
        if part.flags & records.LIST_NO_ORDER:
            told[part.node, type_of(part)] += part.pages
        else:
            told[part.node, type_of(part)] += size(part)
    for key in wanted:
        low, high = sorted((wanted[key], after[key]))
        # CPUs count on their own up to a threshold.
        slack = 125 * os.cpu_count() + 64
        for what, counter in ("counted", got), ("walked", told):
            expect(low - slack <= counter[key] <= high + slack,
                   f"{key}: {counter[key]} {what}, zoneinfo {low} to {high}")


@test(*KINDS)
@settles
def lru_lists_are_as_long_as_counted(kind):
    """What the kernel counts of each list stands on it."""
    with cgroups.lists_of(kind):
        flush()
        parts = lists()
    kinds = {bool(part.generation) for part in parts
             if size(part) and part.lru != UNEVICTABLE}
    same(kinds, {kind == "generations"}, "generations are in use")
    wrong = [part._replace(folios=size(part)) for part in parts
             if part.flags & records.LIST_COUNTED and
             not part.flags & records.LIST_NO_ORDER and
             part.pages != size(part)]
    expect(not wrong, f"pages on lists: {wrong[:4]}")


def numa_stat(path):
    """memory.numa_stat: bytes by list and node, with what is below."""
    found = {}
    for line in lib.read(f"{path}/memory.numa_stat").splitlines():
        name, *nodes = line.split()
        if name in NAMES:
            for text in nodes:
                node, count = text[1:].split("=")
                found[int(node), name] = int(count) // PAGE
    return found


def groups_below(path):
    return [os.stat(found).st_ino for found, *_ in os.walk(path)]


def by_type(counts):
    total = collections.Counter()
    for (node, name), pages in counts.items():
        total[node, name.split("_")[-1]] += pages
    return total


@settles
def check_numa_stat(path, exact):
    flush()
    parts = lists()
    wanted = numa_stat(path)
    inodes = groups_below(path)
    got = collections.Counter()
    for part in parts:
        if part.memcg in inodes:
            got[part.node, NAMES[part.lru]] += \
                part.pages if part.flags & records.LIST_NO_ORDER \
                else size(part)
    if not exact:
        wanted, got = by_type(wanted), by_type(got)
    for key in wanted:
        # The kernel sums up what CPUs have counted when it is much.
        expect(abs(wanted[key] - got[key]) <= 64 * os.cpu_count() + 64,
               f"{key}: {got[key]} pages, memory.numa_stat {wanted[key]}")


@test(*KINDS)
def lru_of_a_memcg_is_its_numa_stat(kind):
    with cgroups.lists_of(kind), cgroups.group("lru-numa") as group:
        with reader_of(group, 2000) as (_, cached):
            check_numa_stat(group.path, kind == "classic")
            mine = [part for part in lists() if part.memcg == group.ino]
            files = sum(size(part) for part in mine if is_file(part))
            expect(files >= cached, f"{files} pages of files")


@test(asked_for=True)
def lru_of_a_memcg_of_version_1():
    """memory.numa_stat of version 1 has what is below it apart.  In a machine
    of its own: what the kernel charged to a memcg of version 2 it takes off a
    counter of version 1's that never had it, and warns."""
    with cgroups.version_1() as root:
        path = f"{root}/lru-v1"
        os.mkdir(path)
        try:
            check_version_1(path)
        finally:
            for pid in lib.read(f"{path}/cgroup.procs").split():
                lib.write(f"{root}/cgroup.procs", pid)
            lib.try_write(f"{path}/memory.force_empty", "0")
            os.rmdir(path)


@settles
def check_version_1(path):
    group = cgroups.Group.at(path)
    with reader_of(group, 1000) as (_, cached):
        flush()
        ino = os.stat(path).st_ino
        parts = [part for part in lists() if part.memcg == ino]
        text = lib.read(f"{path}/memory.numa_stat")
    files = sum(size(part) for part in parts if is_file(part))
    wanted = int(re.search(r"^file=(\d+)", text, re.M)[1])
    expect(files >= cached, f"{files} pages of files")
    expect(abs(files - wanted) <= 64 * os.cpu_count() + 64,
           f"{files} pages of files, memory.numa_stat {wanted}")


def inode_of(path):
    """Of a memcg's directory; 0: there are no memcgs, None: it is gone."""
    if cgroups.are_off():
        return 0
    try:
        return os.stat(cgroups.ROOT + path).st_ino
    except FileNotFoundError:
        return None


def lru_gen_file():
    """Pages by inode, node, sequence number and type."""
    path = "/sys/kernel/debug/lru_gen"
    if not os.path.exists(path):
        raise Skip("no generations in this kernel")
    found, ino, node = {}, None, None
    for line in lib.read(path).splitlines():
        fields = line.split()
        if fields[0] == "memcg":
            where = fields[2] if len(fields) > 2 else "/"
            ino = inode_of(where)
        elif fields[0] == "node":
            node = int(fields[1])
        else:
            seq, age, *pages = fields
            for name, text in zip(("anon", "file"), pages):
                found[ino, node, int(seq), name] = \
                    int(age), int(text.rstrip("x"))
    return found


@test()
@settles
def lru_generations_are_lru_gens():
    with cgroups.lists_of("generations"):
        flush()
        before = lru_gen_file()
        parts = lists()
        after = lru_gen_file()
    got, ages = collections.Counter(), {}
    for part in parts:
        if part.generation:
            key = part.memcg, part.node, part.seq, type_of(part)
            got[key] += size(part)
            ages[key] = part.age_ms
    expect(before, "lru_gen is empty")
    for key, (age, pages) in before.items():
        if key[0] is None or key not in after:
            continue
        low, high = sorted((pages, after[key][1]))
        expect(low <= got[key] <= high,
               f"{key}: {got[key]} pages, lru_gen {low} to {high}")
        if got[key]:
            expect(age <= ages[key] <= after[key][0],
                   f"{key}: {ages[key]} ms, lru_gen {age}")


# ---- what is on them ----

@test(*KINDS)
def lru_pages_come_once_and_are_all(kind):
    """The PFNs that kpageflags says are on LRU lists, in its words.  A page may
    be free before and after, and on a list in between: what is wrong of it
    counts when it comes three times."""
    with cgroups.lists_of(kind):
        wrong = compare_with_kpageflags()
        for _ in range(2):
            if wrong:
                wrong &= compare_with_kpageflags()
    expect(not wrong, f"{len(wrong)} differ: {sorted(wrong)[:4]}")


def compare_with_kpageflags():
    """What is wrong, as (PFN, words)."""
    flush()
    before = kernel_file("kpageflags")
    groups = kernel_file("kpagecgroup")
    parts = lists()
    after = kernel_file("kpageflags")
    seen, wrong = set(), set()
    for part in parts:
        for folio in part.folios:
            pages = set(range(folio.pfn, folio.pfn + (1 << folio.order)))
            wrong |= {(pfn, "comes twice") for pfn in pages & seen}
            seen |= pages
            if before[folio.pfn] == after[folio.pfn]:
                wrong |= {(folio.pfn, what) for what in
                          check_folio(part, folio, before, groups)}
    lru, unevictable = bit("lru"), bit("unevictable")
    unlinked = any(part.flags & records.LIST_NO_ORDER for part in parts)
    wrong |= {(pfn, "is on no list") for pfn, flags in enumerate(before)
              if flags == after[pfn] and flags & lru and pfn not in seen and
              not (unlinked and flags & unevictable)}
    note(f"{len(seen)} pages on {sum(1 for p in parts if p.folios)} lists")
    return wrong


def check_folio(part, folio, flags, groups):
    known = ~bit("ksm") if all_are_ksm() else -1
    if (folio.page_flags ^ flags[folio.pfn]) & known:
        yield f"flags {folio.page_flags:#x}, " \
              f"kpageflags {flags[folio.pfn]:#x}"
    if folio.memcg != groups[folio.pfn]:
        yield f"memcg {folio.memcg}"
    if part.memcg != folio.memcg and not part.flags & records.LIST_OFFLINE:
        yield f"on a list of memcg {part.memcg}"
    if not part.generation and folio.lru != part.lru:
        yield f"list {part.lru}, its own {folio.lru}"
    if part.generation and not folio.generation:
        yield "in no generation"


@test(*KINDS)
@settles
def lru_positions_are_a_part(kind):
    with cgroups.lists_of(kind):
        flush()
        before = whole_lists()
        ranges = {each: pfns_at(*each) for each in
                  ((0, 10), (100, 300), (5, 6), (200, 0))}
        after = whole_lists()
    stayed = {key: unchanged(pfns, after.get(key, []))
              for key, pfns in before.items()}
    compared = 0
    for (start, end), got in ranges.items():
        for key, pfns in stayed.items():
            kept = pfns[start:end or None]
            same(got[key][:len(kept)], kept, f"{key} from {start} to {end}")
            expect(not end or len(got[key]) <= end - start,
                   f"{key}: {len(got[key])} from {start} to {end}")
            compared += len(kept)
    expect(compared > 1000, f"{compared} compared")


def whole_lists():
    return {key_of(part): [folio.pfn for folio in part.folios]
            for part in records.lru_lists()}


def pfns_at(start, end):
    """By list, those at positions from @start to before @end."""
    got = collections.defaultdict(list)
    for part in records.lru(records.WALK_FOLIOS, start, end):
        got[key_of(part)] += [folio.pfn for folio in part.folios]
    return got


def unchanged(before, after):
    """What stands at the tail as before; the head grows."""
    pairs = zip(before, after)
    return [pfn for pfn, _ in itertools.takewhile(lambda p: p[0] == p[1],
                                                  pairs)]


def key_of(part):
    return part.memcg, part.node, part.lru, part.generation, part.zone


# ---- their order ----

def uncached_file(name, pages):
    path = os.path.join(lib.directory(), name)
    with open(path, "wb") as file:
        file.write(os.urandom(PAGE) * pages)
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    same(sum(cached_pages(path)), 0, f"pages of {path} that are cached")
    return path


def cached_pages(path):
    """By page: is it in the page cache?"""
    length = os.path.getsize(path)
    vector = (ctypes.c_ubyte * (length // PAGE))()
    with open(path, "r+b") as file:
        address = LIBC.mmap(None, ctypes.c_size_t(length), mmap.PROT_READ,
                            mmap.MAP_SHARED, file.fileno(), ctypes.c_long(0))
    size_of = ctypes.c_size_t(length)
    same(LIBC.mincore(ctypes.c_void_p(address), size_of, vector), 0, "mincore")
    LIBC.munmap(ctypes.c_void_p(address), size_of)
    return [byte & 1 for byte in vector]


class reader_of:
    """A process in a memcg, which has read files page by page."""

    def __init__(self, group, pages, names=("a",)):
        self.group = group
        self.pages = pages
        self.files = [uncached_file(f"lru-{name}", pages) for name in names]

    def __enter__(self):
        script = "\n".join([
            "import os, sys",
            "open(sys.argv[1], 'w').write(str(os.getpid()))",
            "for path in sys.argv[2:]:",
            "    fd = os.open(path, os.O_RDONLY)",
            "    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)",
            "    while os.read(fd, 4096): pass",
            "print('read', flush=True)",
            "sys.stdin.read()"])
        self.process = lib.process(
            "python3", "-c", script, f"{self.group.path}/cgroup.procs",
            *self.files, stdin=-1, stdout=-1, text=True)
        reader = self.process.__enter__()
        same(reader.stdout.readline(), "read\n", "the reader")
        # What was added last is still in lists of the CPU.
        machine.drain()
        return self, self.pages * len(self.files)

    def __exit__(self, *error):
        self.process.__exit__(*error)
        for path in self.files:
            os.unlink(path)




def order_of(files):
    """Pages of files as (file, page), in the order in which they are to go."""
    inodes = {os.stat(path).st_ino: path for path in files}
    found = []
    for part in records.lru(records.WALK_FOLIOS | records.WALK_BACKING):
        for at, (folio, backing) in enumerate(zip(part.folios,
                                                  part.backings)):
            path = inodes.get(backing.inode)
            if path:
                first = backing.offset // PAGE
                place = part.lru == 4, part.seq, part.position + at
                found += [(place, (path, first + i))
                          for i in range(1 << folio.order)]
    return [page for _, page in sorted(found)]


def rank_correlation(before, gone):
    """Kendall's tau-b of the order told before and the round in which a page
    went, over pairs of pages that went in different rounds."""
    place = {page: at for at, page in enumerate(before)}
    agree = differ = 0
    went = sorted(gone, key=gone.get)[::max(len(gone) // 1500, 1)]
    for i, first in enumerate(went):
        for second in went[i + 1:]:
            if gone[first] != gone[second]:
                if place[first] < place[second]:
                    agree += 1
                else:
                    differ += 1
    return (agree - differ) / (agree + differ)


@test(*KINDS)
def lru_order_is_that_of_eviction(kind):
    """Files a, b and c are read one after another, page by page; then memory
    is taken from their memcg in small steps.  The correlation isn't 1: a page
    that can't be taken at once (its buffers are busy, another holds it) is
    passed by and goes later, and before generations give up what they have
    their youngest are put in order anew."""
    with cgroups.lists_of(kind), cgroups.group("lru-order") as group:
        with reader_of(group, 1000, "abc") as (reader, _):
            before = order_of(reader.files)
            gone = evict(group, reader.files)
    expect(len(before) >= 2900, f"{len(before)} of 3000 pages are on lists")
    gone = {page: when for page, when in gone.items() if page in set(before)}
    expect(len(gone) >= 1500, f"{len(gone)} pages went")
    tau = rank_correlation(before, gone)
    note(f"{kind}: {len(gone)} pages went in {len(set(gone.values()))} rounds, "
         f"rank correlation {tau:.3f}")
    expect(tau >= 0.95, f"rank correlation {tau:.3f}")


def evict(group, files):
    """The round in which each page went, until three quarters did."""
    gone = {}
    there = [(path, page) for path in files
             for page, cached in enumerate(cached_pages(path)) if cached]
    whole = len(there)
    for step in range(200):
        group.reclaim(64 * PAGE)
        cached = {path: cached_pages(path) for path in files}
        gone.update({page: step for page in there
                     if not cached[page[0]][page[1]]})
        there = [page for page in there if page not in gone]
        if len(there) < whole // 4:
            break
    return gone
