# SPDX-License-Identifier: GPL-2.0-only
"""mmlens pfn: the state of a page frame, what backs it and who maps it.

Who maps it is told by the pagemap of every process, its state by kpageflags,
kpagecount and kpagecgroup, the file by maps and stat. The workload put pages of
each kind at known places and stands still.
"""
import array
import collections
import contextlib
import ctypes
import fcntl
import functools
import json
import mmap
import os
import re
import signal
import subprocess
import sys
import time

import lib
import machine
import pagemap
import records
from lib import PAGE, Skip, expect, mmlens, note, same, test
from pagemap import FRAME, PRESENT
from test_pages import BITS, all_are_ksm, bit

# Nobody reads the pagemap of more: it would take longer than the run.
MOST = pagemap.DENSE_LIMIT
ZERO = "zero_page"


# ---- what the kernel says ----

def entry_of(pid, va):
    value, = pagemap.pagemap(pid, va, 1)
    return value


def pfn_of(pid, va):
    value = entry_of(pid, va)
    expect(value & PRESENT, f"{va:#x} isn't present")
    return value & FRAME


def processes():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def small_vmas(pid):
    """Those that pagemap tells of: no large ones, and none of pages without
    struct page, which it passes by."""
    fields = pagemap.smaps(pid)
    return [vma for vma in pagemap.maps(pid) if vma.end - vma.start <= MOST and
            "pf" not in fields.get(vma.start, {}).get("VmFlags", ())]


def entries_of(pid):
    """Address and PFN of all that a process maps, as far as it's looked at."""
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        for vma in small_vmas(pid):
            pages = min(vma.end, pagemap.USER_END) - vma.start
            values = pagemap.read_pagemap(file, vma.start, pages // PAGE)
            for i, value in enumerate(values):
                if value & PRESENT:
                    yield vma.start + i * PAGE, value & FRAME


@functools.lru_cache(None)
def still_ones():
    """The workload and its child, by PFN: (PID, address) of each mapping."""
    found = collections.defaultdict(set)
    for pid in still_pids():
        for va, pfn in entries_of(pid):
            found[pfn].add((pid, va))
    return found


@functools.lru_cache(None)
def still_pids():
    pid = machine.workload().pid
    return [pid, *machine.children(pid)]


@functools.lru_cache(None)
def stopped_one(pid):
    """Addresses by PFN of one that was stopped: read once, it takes long."""
    found = collections.defaultdict(list)
    for va, pfn in entries_of(pid):
        found[pfn].append(va)
    return found


def others_map(pfns):
    """(PID, address, PFN) of those that all other processes map, or mapped when
    they were stopped."""
    found = set()
    for pid in processes():
        if pid in still_pids() or pid == os.getpid():
            continue
        with contextlib.suppress(OSError, lib.Failure):
            if lib.process_state(pid) in "Tt":
                found |= {(pid, va, pfn) for pfn in pfns
                          for va in stopped_one(pid).get(pfn, ())}
            else:
                found |= {(pid, va, pfn) for va, pfn in entries_of(pid)
                          if pfn in pfns}
    return found


def maps_now(pid, va, pfn):
    with contextlib.suppress(OSError, lib.Failure):
        return entry_of(pid, va) & (PRESENT | FRAME) == PRESENT | pfn
    return False


# ---- what the reader says ----

def frames(*pfns, status=0):
    done = mmlens("pfn", "--json", *pfns)
    same(done.returncode, status, f"pfn {pfns}: {done.stderr.decode()}")
    document = json.loads(done.stdout)
    same([frame["pfn"] for frame in document["frames"]], list(pfns), "PFNs")
    return document["frames"]


def users_of(frame):
    """Those in VMAs that the oracle looks at."""
    found = set()
    vmas = {}
    for user in frame["users"]:
        pid, va = user["pid"], int(user["va"], 16)
        if pid not in vmas:
            with contextlib.suppress(OSError):
                vmas[pid] = small_vmas(pid)
        if any(v.start <= va < v.end for v in vmas.get(pid, ())):
            found.add((pid, va))
    return found


def compare_state(frame, before, after):
    """A bit may have changed: it was so in one of two looks."""
    pfn = frame["pfn"]
    unknown = set(frame["flags"]) - set(BITS)
    expect(not unknown, f"unknown flags {unknown}")
    got = sum(bit(name) for name in frame["flags"])
    hidden = bit("ksm") if all_are_ksm() else 0
    if frame["kind"] == "maybe_huge_zero":
        hidden |= bit("zero_page") | bit("thp")
    steady = ~(before["kpageflags"][pfn] ^ after["kpageflags"][pfn])
    wrong = (got ^ before["kpageflags"][pfn]) & steady & ~hidden
    expect(not wrong, f"{pfn:#x}: {[n for n in BITS if wrong & bit(n)]}")
    for key, name in ("mapcount", "kpagecount"), ("memcg", "kpagecgroup"):
        if before[name][pfn] == after[name][pfn]:
            same(frame[key] & (1 << 64) - 1, before[name][pfn],
                 f"{pfn:#x}: {key}")


def look(pfns):
    return {name: pagemap.kpages(name, pfns)
            for name in ("kpageflags", "kpagecount", "kpagecgroup")}


def is_online(pfn):
    return not pagemap.kpage("kpageflags", pfn) & pagemap.KPF_NOPAGE and \
        pagemap.is_ram(pfn)


def vma_of(pid, va):
    return next(vma for vma in pagemap.maps(pid) if vma.start <= va < vma.end)


def compare_backing(frame, pid, va):
    """What maps says of the VMA is what backs a page of its file."""
    vma, backing = vma_of(pid, va), frame["backing"]
    flags = pagemap.kpage("kpageflags", frame["pfn"])
    if flags & (bit("reserved") | bit(ZERO)):
        same(backing["kind"], "none", f"{va:#x}: kind")
    elif flags & pagemap.KPF_ANON:
        expect(backing["kind"] in ("anon", "ksm"), f"{va:#x}: {backing}")
    elif vma.inode and entry_of(pid, va) & pagemap.FILE:
        expect(backing["kind"] in ("file", "shmem", "hugetlb"),
               f"{va:#x} of {vma}: {backing}")
        same(backing["inode"], vma.inode, f"{va:#x}: inode")
        same(backing["device"], vma.device, f"{va:#x}: device")
        same(backing["offset"], vma.offset + va - vma.start,
             f"{va:#x}: offset")
        path = re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)),
                      vma.name.decode())
        same(backing["path"], path, f"{va:#x}: path")
        base = os.path.basename(path.removesuffix(" (deleted)"))
        if path.startswith(lib.directory()):
            same(backing["name"], base[:63], f"{va:#x}: name")


# ---- the workload's pages ----

def some_pages(start, end):
    """The first, the last, and some between: heads and tails."""
    pages = (end - start) // PAGE
    return sorted({start + i % pages * PAGE
                   for i in (0, 1, 7, pages // 2 + 1, pages - 1)})


def compare_frames(places):
    """places: (PID, address) of pages that are present."""
    pfns = {}
    for pid, va in places:
        pfns.setdefault(pfn_of(pid, va), (pid, va))
    wanted = set(pfns)
    before = look(wanted)
    online = [pfn for pfn in wanted if is_online(pfn)]
    others = others_map(wanted)
    found = frames(*sorted(wanted), status=0 if len(online) == len(wanted)
                   else 1)
    others &= others_map(wanted)
    after = look(wanted)
    for frame in found:
        pid, va = pfns[frame["pfn"]]
        compare_users(frame, others)
        same(frame["online"], frame["pfn"] in online, f"{va:#x}: online")
        if frame["online"]:
            compare_state(frame, before, after)
            compare_backing(frame, pid, va)
    return found


def compare_users(frame, others):
    """Those that stand still exactly; of others, those that stayed."""
    pfn = frame["pfn"]
    users = users_of(frame)
    still = {user for user in users if user[0] in still_pids()}
    same(still, still_ones()[pfn], f"who maps {pfn:#x}")
    for pid, va, other in others:
        if other == pfn and (pid, va) not in users:
            expect(not maps_now(pid, va, pfn),
                   f"{pfn:#x}: not {pid} at {va:#x}")


KINDS = ["anon", "zero", "prot_none", "read_only", "locked", "lazyfree",
         "moved", "ksm", "file_clean", "file_cow", "file_shared",
         "file_offset", "file_locked", "shared_anon", "memfd", "memfd_twice",
         "sysv", "deleted", "huge_zero", "thp", "thp_split",
         "thp_prot_none", "thp_shmem", "thp_shmem_private", "thp_collapsed",
         "mthp", "hugetlb", "hugetlb_shared", "hugetlb_memfd",
         "hugetlb_prot_none"]


@test(*KINDS, name="pfn")
def pages_of_a_kind(name):
    work = machine.workload()
    if name not in work.regions:
        raise Skip(work.missing.get(name, "no such region"))
    places = [(work.pid, va) for start, end in work.regions[name]
              for va in some_pages(start, end)
              if entry_of(work.pid, va) & PRESENT]
    expect(places, "nothing is there")
    found = compare_frames(places)
    expect(all(users_of(frame) for frame in found if frame["online"]),
           "a page without one who maps it")
    if name == "locked":
        expect(all("mlocked" in frame["flags"] for frame in found), "mlocked")
    if name == "anon":
        compare_indexes(found, work.pid)


def compare_indexes(found, pid):
    for frame in found:
        (_, va), = {u for u in users_of(frame) if u[0] == pid}
        same(frame["backing"]["index"], va // PAGE, "index")


@test(name="pfn:after-fork")
def shared_by_fork():
    """Pages that the child has as well: both are named."""
    pid, child = still_pids()[:2]
    places = [min(users) for users in still_ones().values()
              if len({user[0] for user in users}) == 2]
    places = [place for place in places
              if not vma_of(*place).inode and
              entry_of(*place) & pagemap.FILE == 0][:40]
    expect(places, "nothing is shared")
    for frame in compare_frames(places):
        expect({pid, child} <= {user["pid"] for user in frame["users"]},
               f"{frame['pfn']:#x}: {frame['users']}")


@test(name="pfn:hwpoison")
def lost_page():
    work = machine.workload()
    if "hwpoison" not in work.regions:
        raise Skip(work.missing.get("hwpoison", "no such region"))
    start = work.regions["hwpoison"][0][0]
    value = entry_of(work.pid, start)
    expect(value & pagemap.SWAP, "the page isn't lost")
    pfn = (value & FRAME) >> pagemap.SWAP_TYPE_BITS & (1 << 40) - 1
    frame, = frames(pfn)
    expect({"pid": work.pid, "va": hex(start), "state": "hwpoison"}.items() <=
           frame["users"][0].items(), f"{frame['users']}")
    expect("hwpoison" in frame["flags"], f"{frame['flags']}")


@test(name="pfn:without-struct-page")
def physical_memory():
    """/dev/mem at a known address, which pagemap passes by."""
    work = machine.workload()
    if "bios" not in work.regions:
        raise Skip(work.missing.get("bios", "no such region"))
    start, end = work.regions["bios"][0]
    first = vma_of(work.pid, start).offset // PAGE
    users = {(user.pid, user.va + i * PAGE, user.pfn + i, user.flags >> 12 & 1)
             for user in read_users(first, first + (end - start) // PAGE)
             for i in range(user.count)}
    wanted = {(work.pid, va, first + (va - start) // PAGE, 1)
              for va in range(start, end, PAGE)}
    expect(wanted <= users, f"{wanted - users}")


# ---- all of memory at once ----

def last_pfn():
    """After the last that is memory for /proc/iomem."""
    return 1 + max(int(last, 16) // PAGE for last in re.findall(
        r"-([0-9a-f]+) : System RAM", lib.read("/proc/iomem")))


@test(name="pfn:who-maps-all")
def everybody():
    """All that the two processes map, of pages of all kinds, turned round."""
    users = [user for user in read_users(0, 0) if user.pid in still_pids()]
    got = collections.defaultdict(set)
    vmas = {pid: small_vmas(pid) for pid in still_pids()}
    for user in users:
        if user.state not in ("present", "numa_hint"):
            continue
        if any(v.start <= user.va < v.end for v in vmas[user.pid]):
            for i in range(user.count):
                got[user.pfn + i].add((user.pid, user.va + i * PAGE))
    wanted = still_ones()
    wrong = [pfn for pfn in wanted.keys() | got.keys()
             if wanted.get(pfn) != got.get(pfn)]
    expect(not wrong, f"{len(wrong)} PFNs differ: " + ", ".join(
        f"{pfn:#x} {got.get(pfn)} not {wanted.get(pfn)}"
        for pfn in wrong[:4]))
    note(f"{len(got)} page frames, {sum(map(len, got.values()))} mappings")


User = collections.namedtuple("User", "flags pid count va pfn level state")
STATES = {2: "present", 3: "numa_hint", 6: "migration", 7: "device_private",
          8: "device_exclusive", 9: "marker"}


def read_users(start, end):
    for record in records.walk(records.USERS, 0, 0, start, end):
        same(record.type, records.REC_USER, "type")
        flags, pid, count, va, pfn = records.USER.unpack_from(record.body, 4)
        yield User(flags, pid, count, va, pfn, record.level,
                   STATES.get(flags & 15, "other"))


@test(name="pfn:who-of-a-range")
def a_range():
    """Ends inside of a huge page, and of a run: no more than was asked."""
    work = machine.workload()
    start, end = work.regions["anon"][0]
    places = [(start + PAGE, 4)]
    if "thp" in work.regions:
        places.append((work.regions["thp"][0][0] + 7 * PAGE, 100))
    for va, count in places:
        first = pfn_of(work.pid, va)
        done = lib.mmlens_ok("pfn", "--who", f"{first:#x}+{count}", "--json")
        document = json.loads(done)
        got = {(u["pid"], int(u["va"], 16) + i * PAGE, u["pfn"] + i)
               for u in document["users"] for i in range(u["count"])
               if u["pid"] in still_pids()}
        wanted = {(*user, pfn) for pfn in range(first, first + count)
                  for user in still_ones().get(pfn, ())}
        same(got, wanted, f"who maps {first:#x}+{count}")
        text = lib.mmlens_ok("pfn", "--who", f"{first}-{first + count}")
        expect(f"{work.pid}".encode() in text, "the text")


# ---- pages that come and go ----

class Memory:
    """Anonymous memory of this process, of small pages."""

    def __init__(self, size):
        self.map = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with contextlib.suppress(OSError, ValueError):
            self.map.madvise(mmap.MADV_NOHUGEPAGE)
        for at in range(0, size, PAGE):
            self.map[at] = 1
        self.size = size
        self.va = ctypes.addressof(ctypes.c_char.from_buffer(self.map))

    def pfns(self):
        return [value & FRAME for value in
                pagemap.pagemap(os.getpid(), self.va, self.size // PAGE)]


@test(name="pfn:freed")
def freed_pages():
    """They are found in blocks of the buddy allocator, and nobody maps them."""
    # More than CPUs keep of it for themselves.
    memory = Memory(400 << 20)
    pfns = memory.pfns()
    frame, = frames(pfns[5])
    same([(u["pid"], int(u["va"], 16)) for u in frame["users"]],
         [(os.getpid(), memory.va + 5 * PAGE)], "before")
    memory.map.close()
    del memory
    free = [pfn for pfn, flags in pagemap.kpages("kpageflags", pfns).items()
            if flags & pagemap.KPF_BUDDY]
    if not free:
        raise Skip("all of it was taken again, or is kept by a CPU")
    found = 0
    for frame in frames(*free[:50]):
        if frame["kind"] != "buddy":
            continue
        found += 1
        # The entry of a huge page that was lost still names all of it, when
        # what wasn't lost of it has been freed (seen on 6.12).
        same([user for user in frame["users"] if user["state"] != "hwpoison"],
             [], f"{frame['pfn']:#x}")
        block = frame["free_block"]
        same(block["pfn"] + block["index"], frame["pfn"], "block")
        same(block["pfn"] % (1 << block["order"]), 0, "alignment")
        same(frame["backing"]["kind"], "none", "backing")
    expect(found, "none is free")
    note(f"{found} of {len(free)} that are free")


@test(name="pfn:swapped-out")
def swapped():
    """Nobody maps where pages were swapped out."""
    work = machine.workload()
    names = [name for name in work.regions if name.startswith("swap")]
    expect(names, "nothing is swapped out")
    out = {va for name in names for start, end in work.regions[name]
           for va in range(start, end, PAGE)
           if entry_of(work.pid, va) & pagemap.SWAP and
           not entry_of(work.pid, va) & PRESENT}
    expect(out, "nothing is swapped out")
    for user in read_users(0, 0):
        if user.pid == work.pid and user.state == "present":
            expect(not out & set(range(user.va, user.va + user.count * PAGE,
                                       PAGE)), f"{user}")
    note(f"{len(out)} pages are")


@test(name="pfn:file-by-construction")
def file_page():
    """A file's page at a known offset, mapped by two, dirty and then clean."""
    path = os.path.join(lib.directory(), "pfn-file")
    with open(path, "wb+") as file:
        file.truncate(16 * PAGE)
        area = mmap.mmap(file.fileno(), 8 * PAGE, offset=4 * PAGE)
    area[3 * PAGE] = 7
    va = ctypes.addressof(ctypes.c_char.from_buffer(area)) + 3 * PAGE
    frame, = frames(pfn_of(os.getpid(), va))
    status = os.stat(path)
    backing = frame["backing"]
    same(backing["kind"], "file", "kind")
    same(backing["inode"], status.st_ino, "inode")
    same(backing["device"], f"{os.major(status.st_dev):02x}:"
         f"{os.minor(status.st_dev):02x}", "device")
    same(backing["offset"], 7 * PAGE, "offset")
    same(backing["path"], path, "path")
    same(backing["name"], "pfn-file", "name")
    expect("dirty" in frame["flags"], "it is dirty")
    same([(u["pid"], int(u["va"], 16)) for u in frame["users"]],
         [(os.getpid(), va)], "users")
    text = lib.mmlens_ok("pfn", frame["pfn"]).decode()
    expect(path in text and f"{va:x}" in text and "offset 0x7000" in text,
           text)


@test(name="pfn:not-memory")
def not_memory():
    beyond = last_pfn() + (1 << 30)
    frame, = frames(beyond, status=1)
    same(frame["online"], False, "online")
    same(frame["users"], [], "users")
    done = mmlens("pfn", hex(beyond))
    same(done.returncode, 1, "status")
    expect(b"isn't online memory" in done.stderr, "said")
    for arguments in ([], ["x"], ["-1"], ["1x"], ["--who", "5-5"],
                      ["--who", "1+0"], ["--who", "1", "2"],
                      ["--who", "1", "--no-who"], [str(1 << 60)]):
        same(mmlens("pfn", *arguments).returncode, 2, f"{arguments}")


@test(name="pfn:without-who")
def without_who():
    frame, = json.loads(lib.mmlens_ok("pfn", "--no-who", "--json",
                                      0x1000))["frames"]
    expect("users" not in frame and "flags" in frame, f"{frame}")


# ---- while processes come and go ----

STORM = """
import os
while True:
    child = os.fork()
    if child:
        os._exit(0)
"""


@contextlib.contextmanager
def fork_storm():
    """A process that is always another one, with another PID."""
    child = subprocess.Popen([sys.executable, "-c", STORM],
                             start_new_session=True)
    try:
        yield
    finally:
        # All of the group at once, whoever it is now.
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def call(device, state):
    """One call with a small buffer; which processes it told of."""
    size = 8192
    buffer = array.array("Q", bytes(size))
    arguments = bytearray(records.WALK.pack(
        records.WALK.size, 0, 0, 0, 0, 0, *state, buffer.buffer_info()[0],
        size, 0, 0, 0, 0, 0))
    fcntl.ioctl(device, records.request(records.USERS), arguments)
    (_, _, _, status, _, _, cursor, generation, _, _, written, *_) = \
        records.WALK.unpack(arguments)
    pids = {records.USER.unpack_from(record.body, 4)[1]
            for record in records.parse(buffer.tobytes()[:written])}
    return pids, status & records.STATUS_DONE, (cursor, generation)


@test(name="pfn:later-processes")
def later_ones():
    """A process that starts while the walk is under way isn't in it, one that
    was there is."""
    with records.device() as device, lib.process("sleep", "1000") as before:
        seen, done, state = call(device, (0, 0))
        expect(not done, "all fits into one call")
        time.sleep(0.1)
        with lib.process("sleep", "1000") as after:
            lib.wait_until(lambda: pagemap.maps(after.pid), "no child")
            calls = 0
            while not done:
                pids, done, state = call(device, state)
                seen |= pids
                calls += 1
            expect(before.pid in seen, f"{before.pid} isn't in {seen}")
            expect(after.pid not in seen, f"{after.pid} is in {seen}")
            expect({user.pid for user in read_users(0, 0)} >=
                   {before.pid, after.pid}, "a new walk has both")
    note(f"{calls} calls")


@test(name="pfn:beside-a-fork-storm")
def storm():
    """Processes that started later are passed by, so that it ends."""
    machine.quiet()
    with fork_storm():
        for _ in range(5):
            began = time.monotonic()
            done = mmlens("pfn", "--who", "0x1000+1000", "--json")
            took = time.monotonic() - began
            same(done.returncode, 0, done.stderr.decode())
            expect(took < 60, f"took {took:.0f} s")
    note(f"the last took {took:.1f} s")
