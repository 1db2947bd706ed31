# SPDX-License-Identifier: GPL-2.0-only
"""Captures: what is shown of one is what was shown when it was taken."""
import json
import os
import re
import signal
import subprocess
import time

import lib
import machine
import pagemap
from lib import expect, same, test
from test_views import difference

# What a walk was like isn't what it saw: the time that a lock was held, and
# where something changed just then.
WALK = re.compile(rb'"max_lock_hold_ns": \d+|"restarts": \d+'
                  rb"|longest (lock hold|time with interrupts off) [0-9.]+ \w+"
                  rb"|\d+ restarts?")


def without_walk(text):
    return WALK.sub(b"-", text)


def place(name):
    return os.path.join(lib.directory(), name)


def snap(name, *arguments):
    path = place(name)
    lib.observer_ok("snap", "-q", "-o", path, *arguments)
    return path


class Capture:
    """A capture that is taken when it is asked for, and may be taken again."""

    def __init__(self, name, *arguments):
        self.name = name
        self.arguments = arguments
        self.taken = False

    def path(self):
        if not self.taken:
            snap(self.name, *(argument() if callable(argument) else argument
                              for argument in self.arguments))
        self.taken = True
        return place(self.name)


def workload_pid():
    return machine.workload().pid


PROCESS = Capture("process.cap", workload_pid)
MACHINE = Capture("machine.cap", "--machine", workload_pid)


def process_capture():
    return PROCESS.path()


def machine_capture():
    return MACHINE.path()


def same_as_live(capture, *arguments):
    """Both are looked at anew when the machine went on in between: whoever
    reads a command line, as snap does, makes the kernel take the page for
    referenced, and processes that come and go map the same libraries."""
    for _ in range(6):
        stored = without_walk(lib.observer_ok(*arguments, "--from",
                                              capture.path()))
        live = without_walk(lib.observer_ok(*arguments))
        if live == stored:
            return stored
        capture.taken = False
    raise lib.Failure(f"{arguments}: other bytes\n" +
                      difference(stored, live))


PROCESS_VIEWS = (
    "maps", "smaps", "smaps_rollup", "numa_maps", "pmap", "pmap -x",
    "pmap -X", "pmap -XX", "pmap -d", "pmap -x -p -q", "pte", "pte --each",
    "pte --pages", "pte --pages --each", "pte --absent", "pte --raw",
    "pte --absent --pages --raw", "pte --each --pages --raw", "tables",
    "tables --each", "folios", "pte --vma [heap]",
)
# Not --absent with --each: where a walk stops for breath, empty ranges are cut,
# which two live walks don't do at the same places either.


@test(*PROCESS_VIEWS)
def captured_view(view):
    pid = machine.workload().pid
    text = same_as_live(PROCESS, *view.split(), pid)
    expect(len(text) > 40, "hardly anything is shown")
    same_as_live(PROCESS, *view.split(), "--json", pid)


@test()
def captured_ranges():
    """Ranges of any size at any place, cut as the module cuts them."""
    workload = machine.workload()
    regions = [region for name in sorted(workload.regions)
               for region in workload.regions[name]]
    for start, end in regions:
        middle = (start + end) // 2 & -lib.PAGE
        for low, high in ((start, end), (start + lib.PAGE, end),
                          (start, end - lib.PAGE), (middle, middle + 4096),
                          (start - lib.PAGE, end + 2 * lib.PAGE)):
            if low < high:
                span = f"{low:x}-{high:x}"
                same_as_live(PROCESS, "pte", "--each", "--pages",
                             workload.pid, span)
        # Where the walk stops for breath an empty range is cut.
        same_as_live(PROCESS, "pte", "--absent", workload.pid,
                     f"{start:x}-{end:x}")
        same_as_live(PROCESS, "folios", workload.pid, f"{start:x}-{end:x}")


@test()
def captured_translations():
    """Every address, mapped or not, with any level as its last."""
    workload = machine.workload()
    addresses = set()
    for vma in pagemap.maps(workload.pid):
        for address in (vma.start, vma.end - 1, (vma.start + vma.end) // 2,
                        vma.end, vma.start - 1, vma.start + (1 << 21)):
            if 0 < address < (1 << 47) - lib.PAGE:
                addresses.add(f"{address:x}")
    for start, end in (region for regions in workload.regions.values()
                       for region in regions):
        addresses.update(f"{at:x}" for at in range(
            start, end, max(lib.PAGE, (end - start) // 64 & -lib.PAGE)))
    addresses = sorted(addresses)
    expect(len(addresses) > 100, "few addresses")
    for at in range(0, len(addresses), 100):
        some = addresses[at:at + 100]
        same_as_live(PROCESS, "vtop", workload.pid, *some)
        same_as_live(PROCESS, "vtop", "--json", workload.pid, *some)
    lib.note(f"{len(addresses)} addresses")


@test(*sorted(machine.TARGETS))
def capture_of_program(target):
    """Programs that aren't ours, in one capture of several."""
    pid = machine.TARGETS[target]()
    capture = Capture(f"{target}.cap", pid, machine.shell())
    for view in ("maps", "pte --pages", "smaps", "tables", "folios"):
        same_as_live(capture, *view.split(), pid)
    same_as_live(capture, "pte", machine.shell())


def status_of(*arguments):
    done = lib.mmlens(*arguments)
    return done.returncode, done.stderr.decode(errors="replace")


@test()
def capture_says_what_it_lacks():
    pid = machine.workload().pid
    path = process_capture()
    for view in ("zones", "buddy", "ledger", "lru", "kmap", "page-types",
                 "pageblocks", "frag", "pfn 1", "zoneinfo", "buddyinfo"):
        status, said = status_of(*view.split(), "--from", path)
        same(status, 1, f"status of {view}")
        expect(path in said and "--machine" in said, f"{view} says {said}")
    status, said = status_of("pte", "--from", path, lib.free_pid())
    same(status, 42, "status of a PID that isn't in it")
    expect(path in said, f"of a PID that isn't in it: {said}")
    status, said = status_of("vtop", "-k", "--from", path, "ffffffff81000000")
    same(status, 1, f"status of vtop -k ({said})")
    status, said = status_of("lru", "--watch", "1", "--from", path)
    same(status, 2, f"status of lru --watch ({said})")
    entries = Capture("entries.cap", "--entries", pid)
    same_as_live(entries, "pte", "--each", "--pages", pid)
    same_as_live(entries, "maps", pid)
    status, said = status_of("smaps", "--from", entries.path(), pid)
    same(status, 1, "status of smaps of entries")
    expect("--entries" in said, f"smaps of entries says {said}")


@test(needs_module=False)
def capture_needs_no_module():
    """It is shown without the device, and by anyone who may read it."""
    path = process_capture()
    pid = machine.workload().pid
    wanted = lib.mmlens_ok("pte", "--each", "--from", path, pid)
    with lib.without_module():
        same(lib.mmlens_ok("pte", "--each", "--from", path, pid), wanted,
             "output without the module")
        status, said = status_of("snap", "-o", place("none.cap"), pid)
        same(status, 1, "status of snap without the module")
        expect("modprobe" in said, f"snap without the module says {said}")
        expect(not os.path.exists(place("none.cap")), "a file was left")


# ---- of the machine ----

MACHINE_VIEWS = (
    "zones", "zones --cpus", "zoneinfo", "buddyinfo", "pagetypeinfo",
    "buddy", "buddy --list", "pageblocks", "frag", "frag --order 9",
    "ledger", "ledger --map", "page-types", "page-types --raw", "kmap",
    "kmap --all", "lru", "lru --all", "lru --pages", "ps", "ps -u", "ps -w",
    "info",
)


@test(*MACHINE_VIEWS)
def captured_machine_view(view):
    """The machine goes on, its capture doesn't: twice the same, and JSON that
    says as much."""
    path = machine_capture()
    first = lib.observer_ok(*view.split(), "--from", path)
    expect(first.count(b"\n") > 1, "hardly anything is shown")
    same(lib.observer_ok(*view.split(), "--from", path), first, view)
    if "--map" not in view:
        json.loads(lib.observer_ok(*view.split(), "--json", "--from", path))


@test("pageblocks", "kmap -r kernel_text --all", "kmap -r fixmap",
      "kmap -r modules", "info")
def captured_machine_view_as_live(view):
    """What stands still on a machine that does nothing."""
    same_as_live(MACHINE, *view.split())
    same_as_live(MACHINE, *view.split(), "--json")


@test()
def captured_forms_are_the_kernels():
    """zoneinfo and its like have the kernel's lines, with other numbers."""
    path = machine_capture()
    for name in ("zoneinfo", "buddyinfo", "pagetypeinfo"):
        ours = lib.observer_ok(name, "--from", path).decode()
        original = lib.read(f"/proc/{name}")
        shape = [re.sub(r"\d+", "N", re.sub(r" +", " ", text))
                 for text in (ours, original)]
        same(len(shape[0].split("\n")), len(shape[1].split("\n")),
             f"lines of {name}")


@test()
def captured_sums_agree():
    """Answers of one capture fit each other: the ledger's sum is what zones
    have, and each page of the process is one of the page frames."""
    path = machine_capture()

    def document(*arguments):
        return json.loads(lib.observer_ok(*arguments, "--json", "--from",
                                          path))
    present = sum(zone["present"] for node in document("zones")["nodes"]
                  for zone in node["zones"])
    ledger = document("ledger")
    total = sum(zone["present"] for zone in ledger["zones"])
    same(total, present, "present pages of ledger and of zones")
    workload = machine.workload()
    (start, end), = workload.regions["anon"][:1]
    entries = document("pte", "--each", "--pages", workload.pid,
                       f"{start:x}-{end:x}")["entries"]
    frames = [entry["pfn"] for entry in entries
              if entry["state"] == "present"][:16]
    expect(frames, "no page frames")
    for frame in document("pfn", *frames)["frames"]:
        entry = next(e for e in entries if e.get("pfn") == frame["pfn"])
        mapped = [m for m in frame["users"] if m["pid"] == workload.pid]
        expect(any(m["va"] == entry["va"] for m in mapped),
               f"{frame} isn't mapped at {entry['va']}")


@test()
def captured_frames_are_the_live_ones():
    """Pages of a process that is stopped are as they were."""
    frames = [entry["pfn"] for entry in machine.entries_of_workload()
              if entry["state"] == "present" and
              "zero" not in entry["flags"]][:200]
    for at in range(0, len(frames), 20):
        same_as_live(MACHINE, "pfn", *frames[at:at + 20])


# ---- the file ----

@test()
def capture_replaces_at_its_end():
    """Until it is whole there is the one before, and nothing else."""
    pid = machine.workload().pid
    path = snap("twice.cap", machine.shell())
    before = lib.read(path, "rb")
    done = lib.mmlens("snap", "-o", path, lib.free_pid())
    same(done.returncode, 42, "status of a PID that isn't there")
    same(lib.read(path, "rb"), before, "the file after that")
    lib.mmlens_ok("snap", "-o", path, pid)
    expect(lib.read(path, "rb") != before, "the file is the old one")
    same(os.stat(path).st_mode & 0o777, 0o600, "mode")
    left = [name for name in os.listdir(lib.directory())
            if name.startswith(".mmlens")]
    same(left, [], "files that are left")


@test("INT", "TERM", "KILL")
def interrupted_capture_leaves_nothing(name):
    number = getattr(signal, f"SIG{name}")
    path = place(f"{name}.cap")
    interrupted = 0
    for delay in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
        reader = subprocess.Popen(["mmlens", "snap", "-q", "-o", path,
                                   "--machine"], stderr=subprocess.PIPE)
        time.sleep(delay)
        reader.send_signal(number)
        reader.stderr.read()
        reader.stderr.close()
        if reader.wait() == -number:
            interrupted += 1
            expect(not os.path.exists(path), "a part of a capture is left")
        else:
            same(reader.returncode, 0, "status")
            os.unlink(path)
        left = [entry for entry in os.listdir(lib.directory())
                if entry.startswith(".mmlens")]
        same(left, [], "files that are left")
    expect(interrupted, "it never was interrupted")


@test()
def capture_errors_name_the_file():
    pid = machine.shell()
    for path in (lib.directory(), "/nowhere/a.cap", "/dev/null"):
        status, said = status_of("snap", "-o", path, pid)
        same(status, 1, f"status of -o {path}")
        expect(path in said, f"-o {path}: {said}")
    for path in (lib.directory(), "/nowhere/a.cap", "/dev/null", "/dev/zero",
                 "/etc/passwd", lib.program("workload")):
        status, said = status_of("pte", "--from", path, pid)
        same(status, 1, f"status of --from {path}")
        expect(path in said, f"--from {path}: {said}")


@test()
def capture_of_full_device():
    """No space: an error, and nothing is left."""
    directory = place("full")
    os.makedirs(directory, exist_ok=True)
    same(lib.run("mount", "-t", "tmpfs", "-o", "size=16k", "none",
                 directory).returncode, 0, "mount")
    try:
        path = os.path.join(directory, "a.cap")
        status, said = status_of("snap", "-o", path, machine.python())
        same(status, 1, "status")
        expect(path in said and "space" in said, f"it says {said}")
        same(os.listdir(directory), [], "files that are left")
    finally:
        lib.run("umount", directory)


@test()
def captures_are_small():
    """A process of a million entries, where there are 6 GiB for it: bytes for
    each, and the time."""
    pages = 1 << 20 if os.sysconf("SC_PHYS_PAGES") > 3 << 19 else 1 << 17
    workload = machine.Workload("bulk", str(pages * lib.PAGE))
    try:
        path = place("bulk.cap")
        took = {}
        for what, arguments in (("entries", ["--entries"]), ("all", [])):
            begun = time.monotonic()
            lib.mmlens_ok("snap", "-q", "-o", path, *arguments, workload.pid)
            took[what] = time.monotonic() - begun
            size = os.path.getsize(path)
            expect(size < pages, f"{size} bytes of {pages} entries")
            lib.note(f"{what}: {size} bytes of {pages} entries, "
                     f"{took[what]:.2f} s")
    finally:
        workload.end()
