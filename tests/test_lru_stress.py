# SPDX-License-Identifier: GPL-2.0-only
"""LRU lists while they change, and very long ones: walks end, nothing is left
behind."""
import array
import contextlib
import mmap
import os
import signal
import struct
import time

import cgroups
import lib
import machine
import records
from lib import expect, note, same, test
from test_zones import settles_soon

MIB = 1 << 20
SECONDS = 25
# The longest that a walk may take beside all that.
PATIENCE = 120
GENERATIONS = "/sys/kernel/mm/lru_gen/enabled"


# ---- processes that do something until they are told to end ----

@contextlib.contextmanager
def worker(function, *arguments):
    """It ends by itself; how it ended counts."""
    child = os.fork()
    if not child:
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            function(*arguments)
            status = 0
        except BaseException as error:  # pylint: disable=broad-except
            note(f"{function.__name__}{arguments}: {error!r}")
        finally:
            os._exit(status)
    try:
        yield child
    finally:
        _, status = os.waitpid(child, 0)
    same(status, 0, f"status of {function.__name__}{arguments}")


# ---- memcgs whose memory is thrashed ----

def write_pages(size, path):
    """Anonymous memory and a file, more than the memcg may have."""
    memory = mmap.mmap(-1, size)
    with open(path, "wb") as file:
        for at in range(0, size, MIB):
            memory[at:at + MIB] = bytes([at // MIB % 251]) * MIB
            file.write(memory[at:at + MIB])
    with open(path, "rb") as file:
        while file.read(MIB):
            pass


def mover(paths, size):
    """Fills one memcg, moves into the other and goes on there."""
    name = os.path.join(lib.directory(), "moved")
    while True:
        for path in paths:
            cgroups.join(path)
            write_pages(size, name)


def stressed(path):
    return lib.process(
        "stress-ng", "--quiet", "--vm", "1", "--vm-bytes", "24M", "--mmap",
        "1", "--mmap-bytes", "8M", "--temp-path", lib.directory(),
        preexec_fn=lambda: cgroups.join(path))


def turn(number, seconds):
    """Two memcgs are made, used and removed.  Who goes above memory.high isn't
    killed."""
    with cgroups.memcg(f"mmlens-a{number}", memory_high=24 * MIB) as one, \
         cgroups.memcg(f"mmlens-b{number}", memory_high=20 * MIB) as other, \
         stressed(one), stressed(other):
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                mover((other, one), 24 * MIB)
            os._exit(0)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(lib.directory(), "moved"))
        for path in one, other:
            cgroups.empty(path)


def thrash(until):
    number = 0
    while time.monotonic() < until:
        turn(number, 0.5 + number % 4)
        number += 1
    note(f"{2 * number} memcgs came and went")


def switch(until):
    """Generations off and on."""
    before = lib.read(GENERATIONS).strip()
    try:
        while time.monotonic() < until:
            for value in "n", "y":
                lib.write(GENERATIONS, value)
                time.sleep(0.7)
    finally:
        lib.write(GENERATIONS, before)


# ---- walks ----

HEAD = struct.Struct("=HB")


def list_at(data, at):
    return records.LruList(*records.LRU_LIST.unpack_from(data, at + 4)[:-1],
                           [], [])


def parts_of(data):
    """Of one call: (part, how many folios follow), each folio passed by."""
    part, folios, at = None, 0, 0
    while at < len(data):
        size, kind = HEAD.unpack_from(data, at)
        if kind == records.REC_LRU:
            if part:
                yield part, folios
            part, folios = list_at(data, at), 0
        expect(size and part, f"{kind}: a record of {size} bytes in no list")
        folios += kind == records.REC_PFNS
        at += size
    if part:
        yield part, folios


def check_part(part, folios, told):
    """A part stands at the end of what was told of its list, or before it."""
    key = part.memcg, part.node, part.lru, part.generation, part.zone
    same(part.count, folios, f"{key}: folios")
    expect(part.count <= 128, f"{key}: {part.count} folios at once")
    expect(part.position <= told.get(key, 0),
           f"{key}: at {part.position} after {told.get(key, 0)}")
    told[key] = part.position + part.count


def walks(flags, until):
    number, cut, longest = 0, 0, 0
    with records.taken() as needs:
        while time.monotonic() < until:
            begin, told = time.monotonic(), {}
            for data, _ in records.calls_on(*needs, records.LRU, 0, flags, 0,
                                            0):
                for part, folios in parts_of(data):
                    check_part(part, folios, told)
                    cut += bool(part.flags & records.LIST_CUT)
                expect(time.monotonic() < begin + PATIENCE,
                       "a walk doesn't end")
            longest = max(longest, time.monotonic() - begin)
            number += 1
    expect(number, "no walk")
    note(f"flags {flags:#x}: {number} walks of {longest:.2f} s at most, "
         f"{cut} lists cut")


def counted():
    """What debugfs `stats` says of these walks: (calls, records, restarts,
    longest hold in ns)."""
    for line in lib.read("/sys/kernel/debug/mmlens/stats").splitlines():
        if line.startswith("lru "):
            return [int(word) for word in line.split()[1:]]
    raise lib.Failure("no lru in stats")


# ---- what is left of it ----

def meminfo():
    """Of /proc/meminfo, in bytes, with nothing cached."""
    os.sync()
    lib.write("/proc/sys/vm/drop_caches", 3)
    lines = [line.split() for line in lib.read("/proc/meminfo").splitlines()]
    return {words[0].rstrip(":"): int(words[1]) << 10 for words in lines
            if words[-1] == "kB"}


@contextlib.contextmanager
def swap_file():
    """Filled before others, and large enough: with it goes what is swapped
    out, which would keep its memcg.  That of other tests stays."""
    path = os.path.join(lib.directory(), "swap-of-thrash")
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 512 * MIB)
    os.chmod(path, 0o600)
    for command in ["mkswap", path], ["swapon", "-p", "9", path]:
        same(lib.run(*command).returncode, 0, f"{command}")
    try:
        yield
    finally:
        same(lib.run("swapoff", path).returncode, 0, "swapoff")
        os.unlink(path)


def held_by_no_page():
    """Dying memcgs without a page.  The file system may hold a block that was
    read in one: its page stays, and the memcg with it."""
    meminfo()
    with_pages = {part.memcg for part in records.lru(records.WALK_FOLIOS, 0, 1)
                  if part.flags & records.LIST_OFFLINE and part.folios}
    return cgroups.dying() - len(with_pages)


def changed(before, now):
    return ", ".join(f"{name} {(now[name] - before[name]) >> 20:+} MiB"
                     for name in before if abs(now[name] - before[name]) >= MIB)


def memory_is_back(before):
    """Whether as much memory can be had as before."""
    def back():
        return meminfo()["MemAvailable"] > before["MemAvailable"] - 24 * MIB
    try:
        lib.wait_until(back, "less memory", 4)
    except lib.Failure:
        note(f"less memory: {changed(before, meminfo())}")
        return False
    return True


def thrash_and_walk():
    until = time.monotonic() + SECONDS
    with contextlib.ExitStack() as stack:
        stack.enter_context(swap_file())
        stack.enter_context(worker(thrash, until))
        if os.path.exists(GENERATIONS):
            stack.enter_context(worker(switch, until))
        for more in 0, 0, records.WALK_BACKING:
            stack.enter_context(worker(walks, records.WALK_FOLIOS | more,
                                       until))


def nothing_is_left():
    """As many dying memcgs as before, and as much memory.  What the kernel
    takes once, it doesn't take again; what a walk leaves behind, every walk
    does."""
    for _ in range(3):
        memory, memcgs = meminfo(), held_by_no_page()
        thrash_and_walk()
        lib.wait_until(lambda: held_by_no_page() <= memcgs,
                       f"more than {memcgs} memcgs are dying", 4)
        if memory_is_back(memory):
            return
    raise lib.Failure("less memory after each of three rounds")


@test()
def lru_stress():
    """Memcgs are thrashed, moved out of and removed; generations come and go."""
    machine.quiet()
    cgroups.require()
    # What a kernel takes once for the first memcgs isn't counted.
    with swap_file(), worker(thrash, time.monotonic() + 1):
        pass
    mark = lib.kernel_log_mark()
    nothing_is_left()
    calls, told, restarts, hold = counted()
    note(f"{calls} calls, {told} records, {restarts} restarts, longest hold "
         f"{hold / 1000:.1f} us")
    bad = [line for line in lib.kernel_log_since(mark)
           if lib.COMPLAINT.search(line)]
    expect(not bad, f"the kernel says {bad[:3]}")


# ---- a list of more than a million pages ----

LIST_SIZE = 4 + records.LRU_LIST.size
PFNS_WORDS = (4 + records.PFNS.size) // 8
PAGES = (1 << 20) + (1 << 14)


def add_call(data, lists):
    """Of one call: each list's PFNs, as array("Q")."""
    words, at = array.array("Q", data), 0
    while at < len(data):
        part = list_at(data, at)
        key = part.memcg, part.node, part.lru, part.generation, part.zone
        pfns = lists.setdefault(key, array.array("Q"))
        expect(part.count <= 128, f"{key}: {part.count} folios at once")
        expect(not part.flags & records.LIST_CUT, f"{key}: cut")
        expect(part.position <= len(pfns), f"{key}: at {part.position}")
        del pfns[part.position:]
        at += LIST_SIZE
        pfns.extend(words[at // 8 + 1:][:part.count * PFNS_WORDS:PFNS_WORDS])
        at += part.count * PFNS_WORDS * 8


def walk_whole():
    """PFNs by list, and the longest hold in ns."""
    lists, longest = {}, 0
    with records.taken() as needs:
        for data, hold in records.calls_on(*needs, records.LRU, 0,
                                           records.WALK_FOLIOS, 0, 0):
            add_call(data, lists)
            longest = max(longest, hold)
    return lists, longest


@contextlib.contextmanager
def tmpfs_file(pages):
    """A file of small pages, all of one memcg."""
    place = os.path.join(lib.directory(), "long")
    os.mkdir(place)
    same(lib.run("mount", "-t", "tmpfs", "-o", "size=8G,huge=never", "tmpfs",
                 place).returncode, 0, "mount")
    try:
        chunk = bytes(MIB)
        with open(f"{place}/file", "wb", buffering=0) as file:
            for _ in range(pages * lib.PAGE // MIB):
                file.write(chunk)
        yield
    finally:
        same(lib.run("umount", place).returncode, 0, "umount")


@contextlib.contextmanager
def without_generations():
    if not os.path.exists(GENERATIONS):
        yield
        return
    before = lib.read(GENERATIONS).strip()
    lib.write(GENERATIONS, "n")
    try:
        yield
    finally:
        lib.write(GENERATIONS, before)


def check_long(what):
    """The list of the file's pages, each of them once; how long it is."""
    def once():
        begin = time.monotonic()
        lists, hold = walk_whole()
        seconds, pages = time.monotonic() - begin, 0
        for key, pfns in lists.items():
            same(len(set(pfns)), len(pfns), f"{key}: pages seen once")
            pages += len(pfns)
        longest = max(map(len, lists.values()))
        note(f"{what}: {pages} folios in {seconds:.1f} s, the longest list "
             f"{longest}, longest hold {hold / 1000:.1f} us")
        return longest, pages
    return settles_soon(once)


@test(asked_for=True)
def lru_long_list():
    """Of more than a million pages, classic and in generations."""
    machine.quiet()
    with tmpfs_file(PAGES):
        with without_generations():
            longest, _ = check_long("classic")
            expect(longest >= PAGES, f"{longest} pages on the longest list")
        _, pages = check_long("generations, where there are any")
        expect(pages >= PAGES, f"{pages} pages on lists")
