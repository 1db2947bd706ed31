# SPDX-License-Identifier: GPL-2.0-only
"""mmlens lru, of a memory cgroup whose only process stands still.

What is on its lists is told by kpageflags and kpagecgroup of every page frame,
whose it is by the process's pagemap, and the order by the order in which the
process read a file.
"""
import array
import contextlib
import json
import os
import sys

import lib
import pagemap
from lib import PAGE, Skip, expect, mmlens_ok, same, test, wait_until
from pagemap import FRAME, PRESENT

CGROUPS = "/sys/fs/cgroup"
NAME = "mmlens-test-lru"
ANON_PAGES, FILE_PAGES, LOCKED_PAGES = 1024, 64, 16

LRU, ACTIVE, SWAPBACKED = 1 << 5, 1 << 6, 1 << 14
TAIL, UNEVICTABLE = 1 << 16, 1 << 18
KEPT = ACTIVE | SWAPBACKED | UNEVICTABLE

# Joins the cgroup, touches anonymous memory, locks some, reads a file of which
# the pages aren't in memory yet, each step through the file a large one.  What
# its CPU is about to add to lists gets there with the last call.
CHILD = """
import ctypes, mmap, os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
group, path = sys.argv[1:3]
anon, count, locked = map(int, sys.argv[3:])
with open(group + "/cgroup.procs", "w") as file:
    file.write(str(os.getpid()))
def touched(pages):
    area = mmap.mmap(-1, pages << 12, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    area.madvise(15)
    for page in range(pages):
        area[page << 12] = 1
    return area, ctypes.addressof(ctypes.c_char.from_buffer(area))
area, at = touched(anon)
kept, kept_at = touched(locked)
if ctypes.CDLL(None).mlock(ctypes.c_void_p(kept_at), ctypes.c_size_t(locked << 12)):
    sys.exit("mlock")
file = os.open(path, os.O_RDONLY)
os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
for step in range(count):
    os.pread(file, 1, (step * 23 % count) << 12)
os.posix_fadvise(file, count << 12, 1 << 12, os.POSIX_FADV_DONTNEED)
print(at, kept_at, flush=True)
os.read(0, 1)
"""


def make_group():
    if not lib.try_write(f"{CGROUPS}/cgroup.subtree_control", "+memory"):
        raise Skip("no memory controller of cgroup v2")
    path = f"{CGROUPS}/{NAME}"
    os.mkdir(path)
    return path


def file_on_disk():
    """Written, and not in memory any more."""
    path = f"{lib.directory()}/lru-file"
    with open(path, "wb") as file:
        file.write(b"x" * (FILE_PAGES * PAGE))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return path


@contextlib.contextmanager
def group_with_a_process():
    """Its path, the process, and where its memory is."""
    group = make_group()
    try:
        with lib.process(sys.executable, "-c", CHILD, group, file_on_disk(),
                         str(ANON_PAGES), str(FILE_PAGES), str(LOCKED_PAGES),
                         stdin=-1, stdout=-1) as child:
            said = child.stdout.readline().split()
            same(len(said), 2, "the process says where")
            lib.stop(child.pid)
            yield group, child.pid, *map(int, said)
    finally:
        wait_until(lambda: remove(group), "the cgroup stays")


def remove(group):
    try:
        os.rmdir(group)
        return True
    except OSError:
        return False


class Place:
    """The group, its process, and all that stands on its lists."""

    def __init__(self, group, pid, anon, locked):
        self.group, self.pid, self.anon, self.locked = group, pid, anon, locked
        self.inode = os.stat(group).st_ino

    def lists(self, *arguments):
        out = mmlens_ok("lru", "--json", "--memcg", f"/{NAME}", *arguments)
        return json.loads(out)

    def folios(self):
        """(list, folio), those that stand on none among them."""
        told = self.lists("--pages")["lists"]
        if any(not each["ordered"] for each in told):
            told += self.lists("--pages", "--list", "unevictable")["lists"]
        return [(each, folio) for each in told for folio in each["folios"]]


@lib.once
def place():
    return Place(*lib.until_end(group_with_a_process()))


# ---- what the kernel says ----

def words(name):
    found = array.array("Q")
    with open(f"/proc/{name}", "rb", buffering=0) as file:
        while True:
            part = file.read(1 << 20)
            if not part:
                return found
            found.frombytes(part)


def kernel_heads(inode):
    """PFN and flags of the first page of each folio on a list of the group."""
    flags, groups = words("kpageflags"), words("kpagecgroup")
    return {pfn: flags[pfn] for pfn, group in enumerate(groups)
            if group == inode and flags[pfn] & LRU and not flags[pfn] & TAIL}


def list_of(flags):
    """What the flags say of the list; of a generation the type alone."""
    if flags & UNEVICTABLE:
        return "unevictable"
    kind = "anon" if flags & SWAPBACKED else "file"
    return ("active_" if flags & ACTIVE else "inactive_") + kind


# ---- tests ----

@test()
@lib.settles
def lru_has_each_folio_once():
    wanted = kernel_heads(place().inode)
    told = place().folios()
    expect(len(wanted) >= ANON_PAGES, f"only {len(wanted)} pages")
    same(sorted(folio["pfn"] for _, folio in told), sorted(wanted), "PFNs")


@test()
@lib.settles
def lru_lists_agree_with_flags():
    wanted = kernel_heads(place().inode)
    names = {"active": ACTIVE, "swapbacked": SWAPBACKED,
             "unevictable": UNEVICTABLE}
    for each, folio in place().folios():
        flags = wanted[folio["pfn"]]
        name = list_of(flags)
        if each["kind"] == "generation":
            name = name.partition("_")[2]
        same(each["list"], name, f"list of {folio['pfn']:#x}")
        same(sum(bit for key, bit in names.items() if key in folio["flags"]),
             flags & KEPT, f"flags of {folio['pfn']:#x}")
        expect(not folio["left"], f"{folio['pfn']:#x} has left")


@test()
@lib.settles
def lru_counts_are_of_what_stands_there():
    """In units of the base size, and the kernel's counts."""
    counts = {}
    for each, folio in place().folios():
        key = each["list"], each.get("seq"), each.get("zone")
        counts[key] = counts.get(key, 0) + (1 << folio["order"])
    told = {(each["list"], each.get("seq"), each.get("zone")): each["pages"]
            for each in place().lists()["lists"] if each["pages"]}
    same(counts, told, "pages")


@test()
@lib.settles
def lru_names_who_maps_it():
    here = place()
    folios = {folio["pfn"]: folio for _, folio in here.folios()}
    for start, pages in (here.anon, ANON_PAGES), (here.locked, LOCKED_PAGES):
        for number, entry in enumerate(pagemap.pagemap(here.pid, start,
                                                       pages)):
            va = start + number * PAGE
            expect(entry & PRESENT, f"{va:#x} isn't present")
            users = folios[entry & FRAME]["users"]
            same([(user["pid"], user["va"]) for user in users],
                 [(here.pid, f"{va:#x}")], "who")


@test()
def lru_has_the_order_of_the_reads():
    """On each list: a page that a CPU had kept for a while when it was read
    may begin in a younger generation than one that was added at once."""
    inode = os.stat(f"{lib.directory()}/lru-file").st_ino
    read = [step * 23 % FILE_PAGES for step in range(FILE_PAGES)]
    lists = {}
    for each, folio in place().folios():
        if folio["backing"].get("inode") == inode:
            offsets = lists.setdefault((each["list"], each.get("seq")), [])
            offsets.append(folio["backing"]["offset"] // PAGE)
    same(sorted(sum(lists.values(), [])), sorted(read), "offsets")
    expect(max(map(len, lists.values())) > FILE_PAGES / 2,
           f"in pieces: {lists}")
    for which, offsets in lists.items():
        same(offsets, sorted(offsets, key=read.index), f"order in {which}")


def identity(each):
    """What a list keeps while pages come and go."""
    return [each.get(key) for key in ("node", "list", "seq", "zone")]


@test()
@lib.settles
def lru_ends_are_of_the_list():
    longest = max((each for each in place().lists("--pages")["lists"]),
                  key=lambda each: len(each["folios"]))
    name = f"gen:{longest['seq']}" if "seq" in longest else longest["list"]

    def look(*arguments):
        told = place().lists("--list", name, *arguments)["lists"]
        found = [each for each in told if identity(each) == identity(longest)]
        same(len(found), 1, f"lists that are {identity(longest)}")
        return [(folio["position"], folio["pfn"])
                for folio in found[0]["folios"]]

    everything = look("--pages")
    same([position for position, _ in everything],
         list(range(len(everything))), "positions")
    same(look("--tail", "200"), everything[:200], "the tail")
    same(look("--head", "3"), everything[-3:], "the head")
