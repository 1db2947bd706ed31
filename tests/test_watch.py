# SPDX-License-Identifier: GPL-2.0-only
"""mmlens watch: its samples against the kernel's own files, and its plots."""
import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys

import lib
import machine
import pagemap
import plots
from lib import PAGE, expect, mmlens_ok, same, test, wait_until

# Maps 8 MiB and touches it, then waits; each line that it reads makes it touch
# half of it again.
CHILD = """
import mmap, sys
area = mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
area.madvise(15)
def touch(size):
    for at in range(0, size, 4096):
        area[at] = 1
touch(8 << 20)
print("ready", flush=True)
for line in sys.stdin:
    touch(4 << 20)
    print("touched", flush=True)
"""


@contextlib.contextmanager
def child():
    with lib.process(sys.executable, "-c", CHILD, stdin=-1,
                     stdout=-1) as process:
        same(process.stdout.readline(), b"ready\n", "the child")
        yield process


def rollup(pid):
    """Fields of smaps_rollup in bytes."""
    return {key: int(value) << 10 for key, value in re.findall(
        r"^(\w+): +(\d+) kB", lib.read(f"/proc/{pid}/smaps_rollup"), re.M)}


def status(pid):
    return {key: int(value) << 10 for key, value in re.findall(
        r"^(\w+):\s+(\d+) kB", lib.read(f"/proc/{pid}/status"), re.M)}


def faults(pid):
    """Minor and major."""
    fields = lib.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return int(fields[7]), int(fields[9])


def samples(text):
    return [json.loads(line) for line in text.decode().splitlines()]


def observed(pid, *arguments):
    """The only process in the only sample."""
    out = lib.observer_ok("watch", "-n", "1", "--json", *arguments, pid)
    sample, = samples(out)
    process, = sample["processes"]
    return process


@contextlib.contextmanager
def watching(*arguments, **options):
    """The reader under way."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    with lib.process("mmlens", "watch", *map(str, arguments),
                     **options) as process:
        yield process


# ---- the numbers of a process ----

def compare_sums(process, before, fields):
    sums = {"rss": "Rss", "anon_huge": "AnonHugePages"}
    for name, key in sums.items():
        same(process[name], fields[key], name)
    # Whether the vDSO's page, which all share, is referenced can change with
    # each process that exits, as the reader does (mark_page_accessed()).
    expect(process["referenced"] in (before["Referenced"],
                                     fields["Referenced"]),
           f"referenced: {process['referenced']}, {before['Referenced']} "
           f"before and {fields['Referenced']} after")
    # The reader looks at the clock: the vDSO's page, which all share, is
    # mapped once more while it does.
    pss = process["pss"] >> 10 << 10
    expect(fields["Pss"] - PAGE < pss <= fields["Pss"],
           f"pss: {pss} instead of {fields['Pss']}")
    same(process["dirty"], fields["Shared_Dirty"] + fields["Private_Dirty"],
         "dirty")
    same(process["uss"], fields["Private_Clean"] + fields["Private_Dirty"],
         "uss")


def compare_counters(process, fields):
    names = {"vsize": "VmSize", "vm_rss": "VmRSS", "rss_anon": "RssAnon",
             "rss_file": "RssFile", "rss_shmem": "RssShmem",
             "swap": "VmSwap", "tables": "VmPTE", "hugetlb": "HugetlbPages"}
    for name, key in names.items():
        same(process[name], fields[key], name)


@test("workload", "python", "redis", "postgres")
def watch_numbers_are_the_kernels(name):
    """Of a process that stands still."""
    pid = machine.TARGETS[name]()

    @lib.settles
    def once():
        before, process = rollup(pid), observed(pid)
        compare_sums(process, before, rollup(pid))
        compare_counters(process, status(pid))
        same((process["minor_faults"], process["major_faults"]), faults(pid),
             "page faults")
    once()


KPF_UNEVICTABLE, KPF_SWAPBACKED, KPF_TAIL = 1 << 18, 1 << 14, 1 << 16
# Of [vvar], which pagemap passes by.
VVAR_PAGES = 8


def head_flags(pfn, flags, known):
    """A tail is where its first page is; its own flags don't say before 6.12.
    Those of pages before are in known."""
    on_the_way = [pfn]
    while flags & KPF_TAIL:
        pfn -= 1
        flags = known.get(pfn) or pagemap.kpage("kpageflags", pfn)
        on_the_way.append(pfn)
    known.update(dict.fromkeys(on_the_way, flags))
    return flags


def lru_of(pid):
    """Pages by what kpageflags says of each that is mapped."""
    found = {"anon": 0, "file": 0, "unevictable": 0, "none": 0}
    known = {}
    for vma in pagemap.maps(pid):
        entries = pagemap.pagemap(pid, vma.start,
                                  (vma.end - vma.start) // PAGE)
        frames = [each & pagemap.FRAME for each in entries
                  if each & pagemap.PRESENT]
        flags = pagemap.kpages("kpageflags", set(frames))
        for frame in frames:
            word = head_flags(frame, flags[frame], known)
            if not word & pagemap.KPF_LRU:
                found["none"] += 1
            elif word & KPF_UNEVICTABLE:
                found["unevictable"] += 1
            else:
                found["anon" if word & KPF_SWAPBACKED else "file"] += 1
    return found


@test("python", "redis")
def watch_lru_places_are_kpageflags(name):
    pid = machine.TARGETS[name]()
    machine.drain()

    @lib.settles
    def once():
        places = observed(pid)["lru_pages"]
        ours = {"anon": 0, "file": 0, "unevictable": 0, "none": 0}
        for place, pages in places.items():
            kind = next(key for key in ("unevictable", "none", "anon", "file")
                        if key in place)
            ours[kind] += pages
        kernels = lru_of(pid)
        more = ours.pop("none") - kernels.pop("none")
        same(ours, kernels, "pages by list")
        expect(0 <= more <= VVAR_PAGES, f"{more} more pages are on none")
    once()


@test()
def watch_counters_walk_nothing():
    pid = machine.python()
    process = observed(pid, "--counters")
    compare_counters(process, status(pid))
    expect("rss" not in process and "lru_pages" not in process,
           f"walked: {process}")


@test()
def watch_counts_faults():
    """Those of a process that goes on: page by page."""
    with child() as process, \
            watching("-i", "0.2", "--json", process.pid) as watch:
        first = json.loads(watch.stdout.readline())
        before = faults(process.pid)
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        after = faults(process.pid)
        watch.stdout.readline()
        last = json.loads(watch.stdout.readline())
    for at, name in enumerate(("minor_faults", "major_faults")):
        expect(first["processes"][0][name] <= before[at],
               f"{name} before")
        expect(last["processes"][0][name] >= after[at], f"{name} after")


# ---- zones ----

def kernels_zones():
    """By node and zone: free pages, watermarks and free blocks."""
    found, blocks = {}, {}
    for node, zone, rest in re.findall(r"Node (\d+), zone +(\S+)(.*)",
                                       lib.read("/proc/buddyinfo")):
        blocks[int(node), zone] = [int(value) for value in rest.split()]
    parts = re.split(r"^Node (\d+), zone +(\S+)$", lib.read("/proc/zoneinfo"),
                     flags=re.M)
    for node, zone, text in zip(parts[1::3], parts[2::3], parts[3::3]):
        where = int(node), zone
        values = re.search(r"pages free +(\d+)(?:\s+boost +\d+)?\s+min +(\d+)"
                           r"\s+low +(\d+)\s+high +(\d+)", text)
        if where in blocks:
            found[where] = [*map(int, values.groups()), *blocks[where]]
    return found


def ours_zones(sample):
    return {(zone["node"], zone["zone"]):
            [zone["free"], zone["min"], zone["low"], zone["high"],
             *zone["free_blocks"]] for zone in sample["zones"]}


@test()
def watch_zones_are_zoneinfo_and_buddyinfo():
    """Numbers that are the same in two looks were that in between, too."""
    machine.quiet()
    exact = total = 0
    with watching("-i", "0.1", "-n", "60", "--json", os.getpid()) as watch:
        before = kernels_zones()
        while not exact:
            if not select.select([watch.stdout], [], [], 0)[0]:
                before = kernels_zones()
                continue
            line = watch.stdout.readline()
            expect(line, f"{total} samples, none of a quiet moment")
            sample, after = json.loads(line), kernels_zones()
            ours, total = ours_zones(sample), total + 1
            same(sorted(ours), sorted(before), "zones")
            for where, values in ours.items():
                same(values[1:4], before[where][1:4], f"{where}: watermarks")
            exact += before == after and ours == before
            before = after


# ---- accessed bits ----

@test()
def watch_accessed_clears_nothing():
    with child() as process:
        lib.stop(process.pid)
        before = rollup(process.pid)["Referenced"]
        out = mmlens_ok("watch", "-i", "0.05", "-n", "4", "--json",
                        "--accessed", process.pid)
        after = rollup(process.pid)["Referenced"]
    expect(before >= 8 << 20, f"the child has touched {before} bytes")
    same(after, before, "Referenced of smaps_rollup")
    same({each["processes"][0]["referenced"] for each in samples(out)},
         {before}, "referenced")


def referenced_area(pid):
    """Referenced of the child's 8 MiB, of which nobody else has a page, and
    Referenced of all, both in bytes."""
    area, = (vma["Referenced"] << 10 for vma in pagemap.smaps(pid).values()
             if vma["Size"] >= 8 << 10 and vma["Rss"] == vma["Anonymous"]
             and vma["Rss"] >= 8 << 10)
    return area, rollup(pid)["Referenced"]


@test()
def watch_reset_clears_by_the_kernel():
    """Nothing is used by a process that stands still; then half of it is."""
    with child() as process:
        lib.stop(process.pid)
        same(referenced_area(process.pid)[0], 8 << 20, "the area at first")
        done = lib.mmlens("watch", "-i", "0.05", "-n", "3", "--json",
                          "--reset", process.pid)
        same(done.returncode, 0, done.stderr.decode())
        same(referenced_area(process.pid)[0], 0, "the area after --reset")
        os.kill(process.pid, signal.SIGCONT)
        process.stdin.write(b"\n")
        process.stdin.flush()
        same(process.stdout.readline(), b"touched\n", "the child")
        lib.stop(process.pid)
        before = referenced_area(process.pid)
        again = observed(process.pid)["referenced"]
        after = referenced_area(process.pid)
    seen = samples(done.stdout)
    used = [each["processes"][0]["referenced"] for each in seen]
    # Pages that others map, too, count when those have used them.
    expect(max(used[1:]) <= used[0] - (8 << 20), f"referenced: {used}")
    same([before[0], after[0]], [4 << 20] * 2, "the half that was touched")
    expect(before[1] <= again <= after[1],
           f"{again} bytes referenced, {before[1]} before, {after[1]} after")
    expect(b"clear_refs" in done.stderr and b"TLB" in done.stderr,
           "nothing says what --reset does")
    expect("clear_refs_ns" not in seen[0]["cost"], "cleared before the first")
    expect(all(each["cost"]["clear_refs_ns"] > 0 for each in seen[1:]),
           "nothing says what it took")


# ---- its own cost ----

@test()
def watch_tells_its_cost():
    with child() as process:
        out = mmlens_ok("watch", "-i", "0.2", "-n", "5", "--json",
                        process.pid)
        text = mmlens_ok("watch", "-i", "0.2", "-n", "3", process.pid).decode()
    for each in samples(out):
        cost = each["cost"]
        expect(0 < cost["sample_ns"] < 10**9, f"a sample took {cost}")
        expect(0 < cost["max_lock_hold_ns"] <= cost["sample_ns"],
               f"locks were held {cost}")
    share = sum(each["cost"]["sample_ns"] for each in samples(out)) / 1e9
    expect(share / 2 <= samples(out)[-1]["cost"]["share"] <= share * 2,
           f"share {samples(out)[-1]['cost']}")
    expect(re.search(r"^3 samples in [\d.]+ s: [\d.]+ ms each, .*% of the "
                     r"time, .*longest lock hold [1-9][\d.]* us$", text, re.M),
           f"the end of {text}")


# ---- ends ----

def check_plots(svg, png, words):
    """Both are there, well-formed, and tell what they should."""
    picture, pixels = plots.Svg(svg), plots.Png(png)
    same((pixels.width, pixels.height), (picture.width, picture.height),
         "sizes")
    same(pixels.text["Title"], picture.title, "titles")
    told = "\n".join(picture.texts)
    for word in words:
        expect(word in told, f"{word} isn't in the plot: {told}")
    expect(any("MiB" in text for text in picture.texts), "no units")
    expect(len(plots.seconds_of(picture.texts)) > 2, "no axis of time")
    for color in "#0072b2", "#e69f00":
        expect(picture.of(color), f"nothing is {color} in the SVG")
        expect(pixels.count(color) > 50, f"nothing is {color} in the PNG")


def files(name):
    return [os.path.join(lib.directory(), f"{name}.{end}")
            for end in ("svg", "png")]


@test("SIGINT", "SIGTERM")
def watch_writes_its_plot_when_interrupted(name):
    svg, png = files(f"watch-{name}")
    with child() as process, \
            watching("-i", "0.1", "--json", "--plot", svg, "--plot", png,
                     process.pid) as watch:
        for _ in range(8):
            expect(watch.stdout.readline(), "no sample")
        watch.send_signal(getattr(signal, name))
        rest = watch.communicate(timeout=60 * lib.PATIENCE)[0]
        same(watch.returncode, 0, "status")
        samples(rest)
        check_plots(svg, png, [
            f"(PID {process.pid})", os.uname().release, "anon", "referenced",
            "page faults", "free memory by order", "longest lock hold"])


@test()
def watch_survives_its_targets():
    """One exits, the other goes on; the end comes with the other's."""
    svg, png = files("watch-exits")
    with child() as first, child() as second, \
            watching("-i", "0.1", "--json", "--plot", svg, "--plot", png,
                     first.pid, second.pid) as watch:
        for _ in range(3):
            watch.stdout.readline()
        first.kill()

        def next_states():
            sample = json.loads(watch.stdout.readline())
            return sample, [p["state"] for p in sample["processes"]]
        sample, states = wait_until(
            lambda: (lambda s: s if "exited" in s[1] else None)(next_states()),
            "the exit isn't seen")
        same(states, ["exited", "alive"], "states")
        expect(sample["processes"][0]["last"]["rss"] >= 8 << 20,
               f"the last state is {sample['processes'][0]}")
        same(next_states()[1], ["exited", "alive"], "states afterwards")
        second.kill()
        rest = watch.communicate(timeout=60 * lib.PATIENCE)[0]
        same(watch.returncode, 0, "status")
        same([p["state"] for p in samples(rest)[-1]["processes"]],
             ["exited", "exited"], "states at the end")
        check_plots(svg, png, [f"PID {first.pid} exited", "2 processes"])


@test()
def watch_lines_tell_of_an_exit():
    with child() as process, \
            watching("-i", "0.1", process.pid) as watch:
        for _ in range(3):
            watch.stdout.readline()
        process.kill()
        out = watch.communicate(timeout=60 * lib.PATIENCE)[0].decode()
        same(watch.returncode, 0, "status")
    expect(re.search(rf" {process.pid} python3\S* has exited; last, at .*: "
                     r"rss \d{4,} ", out), f"lines: {out}")


@test()
def watch_tells_a_pid_that_is_missing():
    gone = lib.free_pid()
    done = lib.mmlens("watch", "-n", "1", "--json", gone, os.getpid())
    same(done.returncode, 42, "status")
    expect(f"PID {gone}".encode() in done.stderr, "nothing says which")
    same([p["pid"] for p in samples(done.stdout)[0]["processes"]],
         [os.getpid()], "processes")
    same(lib.mmlens("watch", gone).returncode, 42, "status when none is left")
    done = lib.mmlens("watch", lib.kernel_thread())
    same(done.returncode, 1, "status of a kernel thread")
    expect(b"kernel thread" in done.stderr, "nothing says why")


# ---- CSV and the chart ----

@test()
@lib.settles
def watch_csv_has_the_numbers_of_json():
    pid = machine.python()
    out = lib.observer_ok("watch", "-n", "2", "-i", "0.05", "--csv", pid)
    head, *rows = [line.split(",") for line in out.decode().splitlines()]
    same([len(row) for row in rows], [len(head)] * 2, "cells")
    row, process = dict(zip(head, rows[-1])), observed(pid)
    # A reader that ends marks pages of libraries which the process maps, too.
    near = process.pop("referenced")
    expect(abs(int(row["referenced"]) - near) <= 64 * PAGE,
           f"referenced: {row['referenced']} instead of {near}")
    for name, value in process.items():
        if name not in ("lru_pages", "pss"):
            same(row[name], str(value), name)
    expect(int(row["node0_DMA32_min"]) > 0, f"zones: {row}")
    expect(int(row["max_lock_hold_ns"]) > 0, f"cost: {row}")


def screen_of(pid, *arguments):
    """What the reader writes to a terminal of 100 by 40."""
    ours, theirs = pty.openpty()
    try:
        lib.run("stty", "rows", "40", "columns", "100", stdin=theirs)
        with lib.process("mmlens", "watch", "-i", "0.1", *arguments, str(pid),
                         stdin=theirs, stdout=theirs, stderr=theirs,
                         env={**os.environ, "TERM": "xterm-256color",
                              "LC_ALL": "C.UTF-8"}) as watch:
            os.close(theirs)
            theirs = None
            told, keys = b"", b"" if "-n" in arguments else b"q"
            while True:
                try:
                    data = os.read(ours, 65536)
                except OSError:
                    break
                if not data:
                    break
                told += data
                # Once: behind the chart, the terminal echoes what comes.
                if keys and b"free memory by order" in told:
                    os.write(ours, keys)
                    keys = b""
            watch.wait(60 * lib.PATIENCE)
            return watch.returncode, told.decode(errors="replace")
    finally:
        os.close(ours)
        if theirs is not None:
            os.close(theirs)


@test()
def watch_draws_a_chart_on_a_terminal():
    with child() as process:
        code, told = screen_of(process.pid)
        same(code, 0, f"status: {told}")
        _, lines = screen_of(process.pid, "--lines", "-n", "2")
    for word in ("\x1b[?1049h", f"(PID {process.pid})", "memory", "anon",
                 "page faults", "its pages on LRU lists", "MiB", "\u2588"):
        expect(word in told, f"{word!r} isn't on the screen: {told!r}")
    head, _, rest = told.rpartition("\x1b[?1049l")
    expect(head and "longest lock hold" in rest,
           f"the last state isn't left on the screen: {rest!r}")
    expect("\x1b[?1049h" not in lines and "COMMAND" in lines,
           f"--lines: {lines!r}")
