# SPDX-License-Identifier: GPL-2.0-only
"""lru --pid and --after against reclaim itself: a process of a memory cgroup of
its own maps a file (or anonymous memory), the reader names the pages that go
next, the kernel reclaims, and pagemap and mincore() say which are gone."""
import contextlib
import ctypes
import json
import mmap
import os
import re
import struct
import subprocess

import lib
import machine
from lib import PAGE, Skip, expect, note, same, test

CGROUP = "/sys/fs/cgroup"
LRU_GEN = "/sys/kernel/mm/lru_gen/enabled"
MIB = 1 << 20
SIZE = 96 * MIB
# Of what is read, as much as isn't mapped goes first.
ASKED = {"map": 48 * MIB, "read": 72 * MIB}

# Maps the file or anonymous memory, touches it, and answers "look" with a letter
# for each page: is it in memory?  mincore() tells of the page cache, so a page that
# is gone for it was reclaimed, not unmapped alone.  "read" reads blocks of the file
# in an order of their own first, and touches every other one: those are on the
# lists as used twice, the others as read and not mapped.
CHILD = r"""
import ctypes, mmap, os, random, sys
size, path, way = int(sys.argv[1]), sys.argv[2], sys.argv[3]
BLOCK = 1 << 16
if path == "-":
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(15)
    for place in range(0, size, 4096):
        memory[place:place + 8] = place.to_bytes(8, "little")
else:
    file = open(path, "rb")
    blocks = list(range(0, size, BLOCK))
    if way == "read":
        random.Random(1).shuffle(blocks)
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        for block in blocks:
            os.pread(file.fileno(), BLOCK, block)
        blocks = blocks[::2]
    memory = mmap.mmap(file.fileno(), size, flags=mmap.MAP_PRIVATE,
                       prot=mmap.PROT_READ | mmap.PROT_WRITE)
    for block in blocks:
        for place in range(block, block + BLOCK, 4096):
            memory[place]
libc = ctypes.CDLL(None)
start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
vector = ctypes.create_string_buffer(size // 4096)
print(start, flush=True)
for line in sys.stdin:
    libc.mincore(ctypes.c_void_p(start), ctypes.c_size_t(size), vector)
    print("".join("1" if byte & 1 else "0" for byte in vector.raw), flush=True)
"""


# ---- settings ----

@contextlib.contextmanager
def generations(wanted):
    """With the multi-generational LRU, or without."""
    if not os.path.exists(LRU_GEN):
        if wanted:
            raise Skip("this kernel has no generations")
        yield
        return
    before = lib.read(LRU_GEN).strip()
    lib.write(LRU_GEN, "7" if wanted else "0")
    try:
        yield
    finally:
        lib.write(LRU_GEN, before)


def memory_cgroup_root():
    """Where version 2 has the memory controller; mounted if it isn't."""
    for line in lib.read("/proc/self/mounts").splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            break
    else:
        os.makedirs(CGROUP, exist_ok=True)
        lib.run("mount", "-t", "cgroup2", "none", CGROUP)
        place = CGROUP
    controllers = os.path.join(place, "cgroup.controllers")
    if not os.path.exists(controllers) or \
       "memory" not in lib.read(controllers).split():
        raise Skip("no memory controller of version 2")
    lib.write(os.path.join(place, "cgroup.subtree_control"), "+memory")
    return place


@contextlib.contextmanager
def memory_cgroup():
    place = os.path.join(memory_cgroup_root(), "mmlens-after")
    os.mkdir(place)

    def is_removed():
        try:
            os.rmdir(place)
            return True
        except OSError:
            return False
    try:
        yield place
    finally:
        # Its process has ended, but may not be all gone.
        lib.wait_until(is_removed, f"{place} can't be removed")


@contextlib.contextmanager
def big_file():
    """Written and clean, and not in the page cache."""
    path = os.path.join(lib.directory(), "after")
    with open(path, "wb") as file:
        block = os.urandom(MIB)
        for _ in range(SIZE // MIB):
            file.write(block)
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    try:
        yield path
    finally:
        os.unlink(path)


class Target:
    """The process, and which of its pages are in memory."""

    def __init__(self, child):
        self.child = child
        self.pid = child.pid
        line = child.stdout.readline()
        expect(line, "the process ended")
        self.start = int(line)

    def mincore(self):
        self.child.stdin.write(b"look\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline().decode().strip()
        same(len(line), SIZE // PAGE, "pages that mincore() tells of")
        return {i for i, letter in enumerate(line) if letter == "1"}

    def present(self):
        """Pages that its page tables have."""
        with open(f"/proc/{self.pid}/pagemap", "rb") as file:
            file.seek(self.start // PAGE * 8)
            words = struct.unpack(f"={SIZE // PAGE}Q",
                                  file.read(SIZE // PAGE * 8))
        return {i for i, word in enumerate(words) if word >> 63}

    def look(self):
        """Anonymous memory that is swapped out is for mincore() where its swap
        cache is."""
        return self.present()


class FileTarget(Target):
    look = Target.mincore


@contextlib.contextmanager
def target(cgroup, path, way):
    def join():
        with open(os.path.join(cgroup, "cgroup.procs"), "w") as file:
            file.write("0")
    with lib.process("python3", "-c", CHILD, str(SIZE), path, way,
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                     preexec_fn=join) as child:
        yield (Target if path == "-" else FileTarget)(child)


# ---- what is compared ----

def ask(pid, size):
    return json.loads(lib.observer_ok("lru", "--pid", pid, "--after",
                                      str(size), "--pages", "--json"))


def named(look, where):
    """Numbers of the pages of the mapping that are named."""
    pages = set()
    for run in look["after"]["pages"]:
        first = (int(run["va"], 16) - where.start) // PAGE
        pages.update(range(first, first + run["count"]))
    return {page for page in pages if 0 <= page < SIZE // PAGE}


def reclaim(cgroup, size):
    """As much as that, by the file for it or by a lower limit."""
    lib.run("sync")
    if not os.path.exists(os.path.join(cgroup, "memory.reclaim")):
        high = os.path.join(cgroup, "memory.high")
        current = lib.read_number(os.path.join(cgroup, "memory.current"))
        lib.write(high, current - size)
        lib.write(high, "max")
        return "memory.high"
    # EAGAIN: less than that was reclaimed.
    lib.try_write(os.path.join(cgroup, "memory.reclaim"), size)
    return "memory.reclaim"


def share(part, whole):
    return len(part & whole) / len(whole) if whole else 0.0


def count_mapped(pid):
    """Pages by smaps_rollup: Rss."""
    text = lib.read(f"/proc/{pid}/smaps_rollup")
    return int(re.search(r"^Rss: +(\d+) kB", text, re.M)[1]) * 1024 // PAGE


def check_sums(look, pid):
    """What is mapped is what the kernel counts, and every page is counted."""
    off = look["off_lists"]
    same(look["on_lists"] + sum(off.values()), look["mapped"], "sum")
    rss = look["mapped"] - off["hugetlb"] - off["zero_page"] - off["special"]
    same(rss, count_mapped(pid), "pages mapped")
    same(sum(l["pages"] for l in look["lists"]), look["on_lists"], "on lists")
    for entry in look["lists"]:
        same(sum(entry["parts"]), entry["pages"], "parts")
    # Batches of CPUs hold few.
    expect(off["none"] + off["moved"] <= 64, f"on no list: {off}")


def predict(cgroup, path, way="map"):
    """Shares of the named pages that are gone, and of the gone that were
    named."""
    with target(cgroup, path, way) as where:
        before = where.look() & where.present()
        whole = SIZE // PAGE
        least = whole * (0.45 if way == "read" else 0.95)
        expect(len(before) > least, f"{len(before)} pages of {whole}")
        look = ask(where.pid, ASKED[way])
        check_sums(look, where.pid)
        asked = ASKED[way] // PAGE
        looks = {asked: look}
        # The model is asked for other amounts before, as lists change then.
        for eighth in range(1, 16):
            pages = whole * eighth // 16
            looks.setdefault(pages, ask(where.pid, pages * PAGE))
        how = reclaim(cgroup, ASKED[way])
        gone = before - where.look()
        expect(gone, f"{how} took nothing")
        first = named(look, where)
        nearest = min(looks, key=lambda pages: abs(
            len(named(looks[pages], where)) - len(gone)))
        if abs(len(first) - len(gone)) <= len(gone) * 0.05:
            nearest = asked
        chosen = named(looks[nearest], where)
    after = look["after"]
    note(f"{how}, {after['model']}: asked {asked}, gone {len(gone)}, "
         f"named {len(first)}: {share(gone, first):.1%} of them gone, "
         f"{share(first, gone):.1%} of the gone named")
    if nearest != asked:
        note(f"the kernel took another amount; asked for {nearest}: named "
             f"{len(chosen)}, {share(gone, chosen):.1%} of them gone, "
             f"{share(chosen, gone):.1%} of the gone named")
    return share(gone, chosen), share(chosen, gone), look


def predict_file(wanted, way):
    machine.quiet()
    with generations(wanted), memory_cgroup() as cgroup, big_file() as path:
        # Files alone: what swap there is isn't for this cgroup.
        lib.try_write(os.path.join(cgroup, "memory.swap.max"), "0")
        return predict(cgroup, path, way)


# ---- tests ----

@test("map", "read")
def lru_after_of_files_with_classic_lists(way):
    hit, told, look = predict_file(False, way)
    same(look["after"]["model"], "classic", "model")
    same(look["after"]["approximate"], False, "approximate")
    same(look["after"]["memcg_path"], "/mmlens-after", "memory cgroup")
    expect(hit >= 0.9, f"{hit:.1%} of what was named is gone")
    expect(told >= 0.9, f"{told:.1%} of what is gone had been named")


@test("map", "read")
def lru_after_of_files_with_generations(way):
    hit, told, look = predict_file(True, way)
    same(look["after"]["model"], "generations", "model")
    same(look["after"]["approximate"], True, "approximate")
    expect(hit >= 0.5, f"{hit:.1%} of what was named is gone")
    expect(told >= 0.5, f"{told:.1%} of what is gone had been named")


@test()
def lru_after_of_anonymous_memory():
    machine.quiet()
    machine.swap()
    with generations(False), memory_cgroup() as cgroup:
        hit, told, _ = predict(cgroup, "-")
    expect(hit >= 0.9, f"{hit:.1%} of what was named is gone")
    expect(told >= 0.9, f"{told:.1%} of what is gone had been named")


@test("workload", "init", "python")
def lru_pid_counts_every_page(name):
    pid = machine.TARGETS[name]()
    look = json.loads(lib.observer_ok("lru", "--pid", pid, "--json"))
    off = look["off_lists"]
    same(look["on_lists"] + sum(off.values()), look["mapped"], "sum")
    same(sum(l["pages"] for l in look["lists"]), look["on_lists"], "on lists")
    if name != "workload":
        rss = (look["mapped"] - off["hugetlb"] - off["zero_page"] -
               off["special"])
        same(rss, count_mapped(pid), "pages mapped")
    text = lib.observer_ok("lru", "--pid", pid).decode()
    expect(text.startswith(f"PID {pid} maps "), text[:80])


@test()
def lru_pid_of_nobody():
    done = lib.mmlens("lru", "--pid", lib.free_pid())
    same(done.returncode, 42, "status")
    expect(b"no such process" in done.stderr, done.stderr)


@test()
def lru_watch_sees_what_a_process_does():
    """Pages that are read appear; those of a file that goes leave."""
    machine.quiet()
    with big_file() as path:
        with lib.process("mmlens", "lru", "--watch", "4", "--count", "3",
                         "--json", stdout=subprocess.PIPE) as watch, \
                open(path, "rb") as file:
            # What is done after a line is in the next one.
            expect(watch.stdout.readline(), "nothing is said")
            while file.read(MIB):
                pass
            first = json.loads(watch.stdout.readline())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            second = json.loads(watch.stdout.readline())
            same(watch.wait(), 0, "status")
    pages = SIZE // PAGE
    note(f"appeared {first['appeared']}, left {second['left']} of {pages}")
    expect(first["appeared"] >= pages * 0.95, f"{first['appeared']} appeared")
    expect(second["left"] >= pages * 0.9, f"{second['left']} left")
    moves = {(m["from"], m["to"]): m["pages"] for m in first["moves"]}
    expect(sum(moves.values()) >= first["pages"] * 0.9, "pages in the table")
