# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's files about a process, and pmap of them, byte for byte.

The kernel is asked before and after the reader: other processes may map or
unmap a shared page meanwhile, so each line must be the one from before or the
one from after.
"""
import contextlib
import os
import re

import lib
import machine
import pagemap
from lib import Skip, expect, same, test, try_write
from test_views import difference

TRIES = 5


def fits(got, before, after):
    """Each line was the original's at one of the two looks."""
    if got in (before, after):
        return True
    ours, first, second = (text.split(b"\n") for text in (got, before, after))
    return len(ours) == len(first) == len(second) and all(
        line in (one, other)
        for line, one, other in zip(ours, first, second))


def agrees(ours, original):
    """What both say."""
    for _ in range(TRIES):
        before = original()
        got = ours()
        after = original()
        if fits(got, before, after):
            return got
    raise lib.Failure("other bytes\n" + difference(got, after))


def file_of(name, pid):
    return lib.read(f"/proc/{pid}/{name}", "rb")


APART = {**os.environ, "LC_ALL": "C"}


@contextlib.contextmanager
def another_with_the_vdso():
    """The reader maps the vDSO while it looks, which shows in Pss: so does
    this, while the kernel is asked.  When a process ends that used it, its
    page becomes referenced, or ceases to be: two have ended then."""
    with lib.process(*lib.apart("sleep"), "600", env=APART) as sleep:
        lib.wait_until(lambda: lib.process_state(sleep.pid) == "S",
                       "sleep doesn't sleep")
        yield
    lib.run(*lib.apart("sleep"), "0", env=APART)


def agrees_with_file(name, pid):
    def original():
        with another_with_the_vdso():
            return file_of(name, pid)
    return agrees(lambda: lib.observer_ok(name, pid), original)


def each_target(file):
    """A test that looks at that file of each target."""
    @test(*machine.TARGETS, name=f"{file}_is_the_kernels")
    def equals(target):
        pid = machine.TARGETS[target]()
        text = agrees_with_file(file, pid)
        expect(text.count(b"\n") > 5, "hardly anything")


for each_file in ("smaps", "smaps_rollup", "numa_maps"):
    each_target(each_file)


@test("maps", "smaps", "smaps_rollup", "numa_maps")
def long_path_is_the_kernels(file):
    """A mapping whose line is longer than most buffers."""
    pid = long_path()
    text = agrees_with_file(file, pid)
    if file != "smaps_rollup":
        expect(max(map(len, text.split(b"\n"))) > 3000, "no long path")


@lib.once
def long_path():
    place = os.path.join(lib.directory(), "long")
    os.mkdir(place)
    return machine.Workload("path", place).pid


@test("maps", "smaps")
def vsyscall_page(file):
    """The gate area, where the kernel maps it."""
    if "[vsyscall]" not in lib.read("/proc/self/maps"):
        raise Skip("this machine has no vsyscall page (vsyscall=xonly)")
    text = agrees_with_file(file, machine.shell())
    expect(b"ffffffffff600000" in text, "no vsyscall page")


@test()
def smaps_covers_every_kind():
    """The workload has something to count for each field."""
    fields = {}
    for line in file_of("smaps", machine.workload().pid).split(b"\n"):
        key, _, value = line.partition(b":")
        if value.endswith(b" kB"):
            fields[key.decode()] = fields.get(key.decode(), 0) + int(
                value.split()[0])
    # No machine here has a file system with huge pages of files.
    empty = [key for key, value in fields.items()
             if not value and key not in ("FilePmdMapped", "ShmemHugePages")]
    same(empty, [], "fields that are 0 everywhere")


# ---- pmap ----

def full_name(vma, path):
    """What -X and -XX show of a name, without a limit."""
    name = vma.name
    if path or b"/" not in name:
        return name
    return name[name.rindex(b"/") + 1:]


def uncut(pid, text, path):
    """procps' -X and -XX cut a name after 127 bytes: put it back."""
    lines = text.split(b"\n")
    by_start = {v.start: v for v in pagemap.maps(pid)}
    for at, line in enumerate(lines):
        start = line.split(None, 1)[0] if line.strip() else b""
        vma = by_start.get(hexadecimal(start))
        if not vma or len(vma.name) <= 127:
            continue
        cut = full_name(vma._replace(name=vma.name[:127]), path)
        expect(line.endswith(b" " + cut), f"{line!r} doesn't end with {cut!r}")
        lines[at] = line[:len(line) - len(cut)] + full_name(vma, path)
    return b"\n".join(lines)


def hexadecimal(text):
    try:
        return int(text, 16)
    except ValueError:
        return None


# Of these a sum means nothing; procps has one all the same.
NO_SUMS = (b"KernelPageSize", b"MMUPageSize", b"ProtectionKey")
HEAD = b"Address Perm "


def column(head, name):
    """Where a right-justified column of that name is, or None."""
    at = (head + b" ").find(b" " + name + b" ")
    return slice(at + 1, at + 1 + len(name)) if at >= 0 else None


def without_sums(text, other):
    """procps' -X and -XX add page sizes up: instead, what the other has."""
    lines, others = text.split(b"\n"), other.split(b"\n")
    head = b""
    if len(lines) != len(others):
        return text
    for at, line in enumerate(lines):
        if HEAD in line:
            head = line
        if not line.endswith(b" KB "):
            continue
        for where in filter(None, (column(head, n) for n in NO_SUMS)):
            theirs = others[at][where]
            expect(not theirs.strip(b" 0-"), f"a sum in {others[at]!r}")
            line = line[:where.start] + theirs + line[where.stop:]
        lines[at] = line
    return b"\n".join(lines)


def unnamed_flags(pids):
    """Flags of VMAs without a mnemonic: procps cuts the line there."""
    return any(b"?" in line for pid in pids if os.path.exists(f"/proc/{pid}")
               for line in file_of("smaps", pid).split(b"\n")
               if line.startswith(b"VmFlags:"))


def without_flags(text):
    """All lines without the column of VmFlags."""
    lines = text.split(b"\n")
    start = end = 0
    for at, line in enumerate(lines):
        if HEAD in line and b"VmFlags" in line:
            end = line.index(b"VmFlags") + len(b"VmFlags")
            start = len(line[:end - len(b"VmFlags")].rstrip())
        elif at and lines[at - 1].endswith(b" KB "):
            start = end = 0
        lines[at] = lines[at][:start] + lines[at][end:] if end else line
    return b"\n".join(lines)


def range_totals(text):
    """procps' -x -A adds up mappings outside of the range, too."""
    lines = text.split(b"\n")
    sums = [0, 0, 0]
    for at, line in enumerate(lines):
        words = line.split()
        if len(words) > 4 and hexadecimal(words[0]) is not None:
            sums = [a + int(b) for a, b in zip(sums, words[1:4])]
        if line.startswith(b"total kB"):
            lines[at] = b"%-16s %7d %7d %7d" % (b"total kB", *sums)
    return b"\n".join(lines)


def pmap(program, options, pids):
    arguments = options + [str(pid) for pid in pids]
    if program == "mmlens":
        return lib.run_apart("mmlens", "pmap", *arguments)
    return lib.run_apart("pmap", *arguments)


# Arguments that a program blanked: procps before 4.0 ends the heading with as
# many spaces.
PADDED_HEADING = re.compile(rb"^(\d+:   .*?) +$", re.M)


def mended(text, options, pids, ours):
    """procps' output with its bugs mended."""
    if not PADDED_HEADING.search(ours):
        text = PADDED_HEADING.sub(rb"\1", text)
    if "-x" in options and "-A" in options:
        text = range_totals(text)
    if {"-X", "-XX"} & set(options):
        for pid in pids:
            text = uncut(pid, text, "-p" in options)
        text = without_sums(text, ours)
    return text


def pmap_agrees(options, pids, status=0):
    for attempt in range(TRIES):
        before = pmap("pmap", options, pids)
        another_process(attempt)
        done = pmap("mmlens", options, pids)
        another_process(attempt)
        after = pmap("pmap", options, pids)
        same(before.returncode, status, f"status of procps pmap {options}")
        same(done.returncode, status, f"status of pmap {options}: "
             f"{done.stderr.decode()}")
        got = done.stdout
        looks = [mended(look.stdout, options, pids, got)
                 for look in (before, after)]
        if "-XX" in options and unnamed_flags(pids):
            got, *looks = map(without_flags, (got, *looks))
        if fits(got, *looks):
            return got
    raise lib.Failure(f"pmap {options}: other bytes\n" +
                      difference(got, looks[1]))


def another_process(attempt):
    """Each process that ends marks the vDSO as referenced, or unmarks it: at
    every other attempt two of them end between two looks."""
    if attempt % 2:
        lib.run("true")


PMAP_OPTIONS = ("", "-x", "-d", "-X", "-XX")


def pmap_of_each_target(option):
    @test(*machine.TARGETS, name=f"pmap{option}_is_procps")
    def equals(target):
        pid = machine.TARGETS[target]()
        text = pmap_agrees(option.split(), [pid])
        expect(text.count(b"\n") > 5, "hardly any mappings")


for each_option in PMAP_OPTIONS:
    pmap_of_each_target(each_option)


@test("-X -q", "-X -p", "-XX -q", "-XX -p", "-X -q -p", "-x -q -p",
      "-d -q -p", "-x -A 0x100d00000000,0x101300000000",
      "-x -q -A 0x100d00000000,0x101300000000",
      "-x -A 0x100d00000000", "-x -A ,0x101300000000", "-d -A 1000,2000")
def pmap_options(options):
    pid = machine.workload().pid
    if options == "-XX -q" and unnamed_flags([pid]):
        raise Skip("procps cuts VmFlags at a \"??\", and no heading tells "
                   "where they stand")
    pmap_agrees(options.split(), [pid])


def sums_go_on(option, pid):
    """Before 4.0.4 procps goes on adding up from one process to the next."""
    totals = [line for line in pmap("pmap", [option], [pid, pid]).stdout
              .split(b"\n") if line.endswith(b" KB ")]
    return len(totals) == 2 and totals[0].split() != totals[1].split()


@test("", "-x", "-d", "-X", "-XX")
def pmap_of_several_is_procps(option):
    """All that are there, and status 42 because one isn't."""
    pids = [machine.shell(), lib.free_pid(), machine.python()]
    there = [pids[0], pids[2]]
    if not (option.startswith("-X") and sums_go_on(option, pids[0])):
        pmap_agrees(option.split(), there)
    done = pmap("mmlens", option.split(), pids)
    same(done.returncode, 42, "status with a missing process")
    same(pmap("pmap", option.split(), pids).returncode, 42,
         "status of procps pmap")
    expect(str(pids[1]).encode() in done.stderr, "which one isn't said")
    shown = [line for line in done.stdout.split(b"\n")
                if line.split(b":")[0] in [b"%d" % pid for pid in there]]
    same(len(shown), 2, "processes shown")


@test("-X", "-XX")
def pmap_cuts_no_name(option):
    pid = long_path()
    longest = max(len(v.name) for v in pagemap.maps(pid))
    for more in ([], ["-p"]):
        text = pmap_agrees([option, *more], [pid])
        if more:
            expect(max(map(len, text.split(b"\n"))) > longest,
                   "the path is cut")


@test("-X", "-XX")
def pmap_range_of_fields(option):
    """Of the range alone, with totals of the same."""
    workload = machine.workload()
    (low, _), (_, high) = (workload.regions[name][0]
                           for name in ("anon", "every_third"))
    low, high = min(low, high), max(low, high)
    done = pmap("mmlens", [option, "-A", f"{low:x},{high:x}"],
                [workload.pid])
    same(done.returncode, 0, f"status: {done.stderr.decode()}")
    lines = done.stdout.split(b"\n")[2:]
    shown = [line.split() for line in lines
             if line.split() and hexadecimal(line.split()[0]) is not None and
             line.split()[1][-1:] in (b"p", b"s")]
    vmas = [v for v in pagemap.maps(workload.pid)
            if v.end - 1 >= low and v.start <= high]
    same([int(words[0], 16) for words in shown], [v.start for v in vmas],
         "mappings shown")
    total = next(line for line in lines if line.endswith(b"KB "))
    same(int(total.split()[0]), sum(int(words[5]) for words in shown),
         "total of Size")


# ---- THPeligible ----

THP = machine.THP
HUGE_OPTIONS = ("never", "always", "within_size", "advise")
ENABLED = ("always", "madvise", "never")
SHMEM = ("always", "within_size", "advise", "never", "deny", "force")
# Of one size, where the kernel has them.
SIZES = ("hugepages-64kB", "hugepages-1024kB", "hugepages-2048kB")
SIZE_ENABLED = ("always", "inherit", "madvise", "never")
SIZE_SHMEM = ("always", "inherit", "within_size", "advise", "never")


@lib.once
def mounts():
    """A tmpfs with each of the options, and the disk."""
    found = []
    for option in HUGE_OPTIONS:
        place = os.path.join(lib.directory(), f"huge-{option}")
        os.mkdir(place)
        done = lib.run("mount", "-t", "tmpfs", "-o",
                       f"huge={option},size=64M", "mmlens", place)
        same(done.returncode, 0, f"mount: {done.stderr.decode()}")
        lib.at_end(lib.run, "umount", "-l", place)
        found.append(place)
    disk = os.path.join(lib.directory(), "eligible")
    os.mkdir(disk)
    return [disk] + found


DISABLED = {"allowed": -1, "disabled": 0, "disabled-unless-advised": 2}
_eligible = {}


def eligible(how):
    if how not in _eligible:
        machine.quiet()
        _eligible[how] = machine.Workload("eligible", str(DISABLED[how]),
                                          *mounts())
    workload = _eligible[how]
    if "disable" in workload.missing:
        raise Skip(workload.missing["disable"])
    return workload.pid


def selected(path):
    """The word in brackets of a file with a choice."""
    return lib.read(path).partition("[")[2].partition("]")[0]


@contextlib.contextmanager
def setting(name, value):
    """The kernel may lack the file, or this value of it."""
    path = f"{THP}/{name}"
    if not os.path.exists(path):
        yield False
        return
    before = selected(path)
    try:
        yield try_write(path, value)
    finally:
        lib.write(path, before)


def eligibility(text):
    """VMAs, and which of them are eligible."""
    return tuple(re.findall(rb"^[0-9a-f]+-[0-9a-f]+ .*|^THPeligible:.*", text,
                            re.M))


def look(pid, what):
    wanted = eligibility(file_of("smaps", pid))
    got = eligibility(lib.mmlens_ok("smaps", pid))
    if got != wanted:
        raise lib.Failure(f"with {what}: other bytes\n" + difference(
            b"\n".join(got), b"\n".join(wanted)))
    return got


@test(*DISABLED)
def thp_eligible(how):
    """All VMAs under every setting that is common to all sizes."""
    pid = eligible(how)
    seen = set()
    for enabled in ENABLED:
        for shmem in SHMEM:
            with setting("enabled", enabled), \
                    setting("shmem_enabled", shmem) as taken:
                if taken:
                    seen.add(look(pid, f"enabled {enabled}, shmem {shmem}"))
    if how != "disabled":
        expect(len(seen) > 3, "the settings make no difference")


@test("allowed", "disabled-unless-advised")
def thp_eligible_by_size(how):
    """The settings of each size, with the common ones both ways.  Where all
    is disabled, thp_eligible has shown that no setting matters."""
    pid = eligible(how)
    looks = 0
    for size in SIZES:
        for kind, values in (("enabled", SIZE_ENABLED),
                             ("shmem_enabled", SIZE_SHMEM)):
            for value in values:
                for common in ("always", "never"):
                    with setting(kind, common), \
                            setting(f"{size}/{kind}", value) as taken:
                        if not taken:
                            continue
                        looks += 1
                        look(pid, f"{kind} {common}, {size} {value}")
    if not looks:
        raise Skip("this kernel has no settings by size")


@test()
def thp_eligible_of_stacks_and_programs():
    """Programs that run, with everything allowed."""
    for target in ("shell", "python", "redis", "workload"):
        pid = machine.TARGETS[target]()
        for enabled in ("always", "never"):
            with setting("enabled", enabled):
                look(pid, f"{target}, enabled {enabled}")
