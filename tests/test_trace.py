# SPDX-License-Identifier: GPL-2.0-only
"""mmlens trace: what it sees of known events, against the kernel's counters."""
import collections
import json
import os
import signal
import subprocess
import time

import cgroups
import lib
import machine
from lib import Skip, expect, note, same, test

# As in workload/steps.c.
READ, WRITE, COW, FILE, SWAP, THP, CALLS, STORM = 11, 13, 17, 19, 23, 2, 3, 1000


class Workload:
    """A process that does what it is asked to, step by step."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [lib.program("workload"), "steps", lib.directory()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.pid = self.process.pid
        self.regions = {}
        for line in iter(self.process.stdout.readline, b"ready\n"):
            expect(line, "the workload ended")
            _, name, start, end = line.decode().split()
            self.regions[name] = int(start, 16), int(end, 16)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def ask(self, step, times=1):
        self.process.stdin.write(f"{step} {times}\n".encode())

    def do(self, step, times=1):
        self.ask(step, times)
        same(self.process.stdout.readline(), b"done\n", step)

    def faults(self):
        """Those that getrusage counts, minor and major."""
        fields = lib.read(f"/proc/{self.pid}/stat").rpartition(")")[2].split()
        return int(fields[7]) + int(fields[9])


class Trace:
    """The command in a file's worth of JSON lines."""

    def __init__(self, *arguments):
        self.path = os.path.join(lib.directory(), "trace")
        self.arguments = arguments
        self.said = b""

    def __enter__(self):
        self.out = open(self.path, "wb+")
        self.process = subprocess.Popen(
            ["mmlens", "trace", "--json", *map(str, self.arguments)],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.PIPE)
        lib.wait_until(self._begun, "no trace is begun", 60)
        return self

    def _begun(self):
        if self.process.poll() is not None:
            self.said = self.process.stderr.read()
            if b"reader was built without" in self.said:
                raise Skip(self.said.decode().strip())
            raise lib.Failure(f"mmlens trace: {self.said.decode()}")
        return lib.read(self.path, "rb").endswith(b"\n")

    def end(self):
        """Its lines; the first says what is traced, the last the counts."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.said += self.process.communicate(
            timeout=120 * lib.PATIENCE)[1] or b""
        same(self.process.returncode, 0, f"status ({self.said.decode()})")
        with open(self.path, "rb") as file:
            lines = [json.loads(line) for line in file]
        self.head, self.tail = lines[0], lines[-1]
        return lines[1:-1]

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        self.out.close()


def vmstat():
    return {name: int(value) for name, value in
            map(str.split, lib.read("/proc/vmstat").splitlines())}


def gained(before, name):
    return vmstat()[name] - before[name]


FAULTS = {"read", "write", "cow", "reuse", "shared-dirty", "swap-in", "thp",
          "hugetlb", "numa-hint", "spurious", "other"}


def is_fault(event):
    return event.get("kind") in FAULTS


def in_region(events, workload, name):
    start, end = workload.regions[name]
    return [e for e in events
            if start <= int(e.get("va", "0"), 16) < end]


def counts(events):
    return dict(collections.Counter(e["kind"] for e in events))


def entries(workload, name):
    """What the module has of the region's entries, by address."""
    start, end = workload.regions[name]
    found = json.loads(lib.mmlens_ok("pte", "--each", "--json", workload.pid,
                                     f"{start:x}-{end:x}"))["entries"]
    return {e["va"]: e for e in found}


# What an entry alone tells: the rest is the VMA's or the page's.
ALONE = {"user", "rw", "nx", "accessed", "dirty", "leaf"}


def check_after(events, held, name, count):
    """The last event's AFTER is what the module found there."""
    same(len(held), count, f"entries of {name}")
    last = {e["va"].lower(): e["after"] for e in events if "after" in e}
    for va, entry in held.items():
        after = last[va]
        for member in "state", "level", "pfn", "swap":
            same(after.get(member), entry.get(member), f"{name} {va} {member}")
        same(set(after["flags"]) & ALONE, set(entry["flags"]) & ALONE,
             f"{name} {va} flags")


@test()
def trace_faults():
    """Each kind as often as it was made; all of them as getrusage has it."""
    machine.quiet()
    with Workload() as workload, Trace("-e", "fault", workload.pid) as trace:
        before = workload.faults()
        held = {}
        for step in ("read", "write", "write-zero", "cow", "file-read",
                     "file-write"):
            workload.do(step)
            # Before the next step changes them.
            held[step] = {name: entries(workload, name)
                          for name in workload.regions}
        made = workload.faults() - before
        events = trace.end()
        same(sum(map(is_fault, events)), made, "faults")
        same(trace.tail["lost"], 0, "lost")
        same(trace.tail["counts"], counts(events), "counts at the end")
        same(counts(in_region(events, workload, "read")),
             {"read": READ, "cow": READ}, "zero page read, then written")
        same(counts(in_region(events, workload, "write")), {"write": WRITE},
             "written")
        same(counts(in_region(events, workload, "cow")), {"cow": COW},
             "written beside a child")
        same(counts(in_region(events, workload, "file")).get("shared-dirty"),
             FILE, "shared file written")
        for event in in_region(events, workload, "cow"):
            expect(event["before"]["pfn"] != event["after"]["pfn"] and
                   "rw" not in event["before"]["flags"] and
                   "rw" in event["after"]["flags"], f"copied: {event}")
        for event in in_region(events, workload, "write"):
            same(event["before"]["state"], "none", "nothing was mapped")
        for step, name, count in (("write-zero", "read", READ),
                                  ("write", "write", WRITE),
                                  ("cow", "cow", COW)):
            check_after(in_region(events, workload, name), held[step][name],
                        name, count)


@test()
def trace_swap():
    """Out and in, page by page, as vmstat has it."""
    machine.quiet()
    machine.swap()
    lib.write("/proc/sys/vm/page-cluster", 0)
    with Workload() as workload, Trace(
            "-e", "fault,swap-out,pageout", workload.pid) as trace:
        machine.drain()
        before = vmstat()
        workload.do("swap-out")
        time.sleep(0.1)
        out = gained(before, "pswpout")
        held = entries(workload, "swap")
        workload.do("swap-in")
        events = in_region(trace.end(), workload, "swap")
        same(counts(events), {"swap-out": SWAP, "swap-in": SWAP}, "events")
        same(out, SWAP, "pswpout")
        # What was still in the swap cache wasn't read.
        same(gained(before, "pswpin"),
             sum(e["major"] for e in events if e["kind"] == "swap-in"),
             "pswpin")
        for event in events:
            there = event["after" if event["kind"] == "swap-out" else "before"]
            same(there.get("swap"), held[event["va"]].get("swap"),
                 f"slot of {event['va']}")
        check_after([e for e in events if e["kind"] == "swap-in"],
                    entries(workload, "swap"), "swap", SWAP)


@test()
def trace_writeback():
    """Pages of a file that become dirty, clean, and dirty again."""
    machine.quiet()
    with Workload() as workload:
        workload.do("file-read")
        with Trace("-e", "fault,writeback", workload.pid) as trace:
            for step in "file-write", "sync", "file-write":
                workload.do(step)
            events = in_region(trace.end(), workload, "file")
        same(counts(events)["shared-dirty"], 2 * FILE, "noticed writes")
        cleaned = [e for e in events if e["kind"] == "clean"]
        same(sum(e["pages"] for e in cleaned), FILE, "cleaned pages")
        for event in cleaned:
            expect("dirty" in event["before"]["flags"] and
                   not {"dirty", "rw"} & set(event["after"]["flags"]),
                   f"cleaned: {event}")
        check_after([e for e in events if e["kind"] == "shared-dirty"],
                    entries(workload, "file"), "file", FILE)


@test()
def trace_thp():
    """Huge pages that come by a fault, and one that is split."""
    machine.quiet()
    with Workload() as workload, Trace("-e", "fault,huge",
                                       workload.pid) as trace:
        before = vmstat()
        workload.do("thp")
        workload.do("split")
        events = in_region(trace.end(), workload, "thp")
        same(counts(events), {"thp": THP, "split": 1}, "events")
        same(gained(before, "thp_fault_alloc"), THP, "thp_fault_alloc")
        same(gained(before, "thp_split_pmd"), 1, "thp_split_pmd")
        for event in events:
            if event["kind"] == "thp":
                same(event["after"]["level"], "pmd", "level")


@test()
def trace_calls():
    """Each system call with what it was given."""
    with Workload() as workload, Trace("-e", "call", workload.pid) as trace:
        workload.do("calls")
        events = in_region(trace.end(), workload, "calls")
        same(counts(events), {"madvise": CALLS, "mprotect": CALLS, "munmap": 1},
             "calls")
        same({e["length"] for e in events}, {lib.PAGE}, "lengths")
        same({e["advice"] for e in events if e["kind"] == "madvise"}, {3},
             "MADV_WILLNEED")
        same([e["prot"] for e in events if e["kind"] == "mprotect"], [1, 3, 1],
             "protections")
        same({e["result"] for e in events}, {0}, "results")


@test()
def trace_compaction():
    """What compaction moves, as vmstat has it."""
    machine.quiet()
    with Workload() as workload, Trace("-e", "compaction,migrate",
                                       workload.pid) as trace:
        before = vmstat()
        workload.do("compact")
        moved = gained(before, "pgmigrate_success")
        events = [e for e in trace.end() if e["pid"] == workload.pid]
        expect(counts(events).get("compact", 0) >= 1, f"no compaction: {events}")
        same(sum(e["succeeded"] for e in events if e["kind"] == "migrate"),
             moved, "pgmigrate_success")
        same({e["reason"] for e in events if e["kind"] == "migrate"} -
             {"COMPACTION"}, set(), "reason")
        note(f"{moved} pages moved")


@test()
def trace_oom():
    """Reclaim for a limit, the stall, and the OOM killer; then it ends."""
    machine.quiet()
    group = cgroups.Group("mmlens-trace")
    try:
        group.write("memory.max", 32 << 20)
        if group.has("memory.swap.max"):
            group.write("memory.swap.max", 0)
        with Workload() as workload:
            group.write("cgroup.procs", workload.pid)
            with Trace("-e", "reclaim,kswapd,oom", workload.pid) as trace:
                before = vmstat()
                with lib.oom_kill_expected():
                    workload.ask("devour")
                    workload.process.wait(60 * lib.PATIENCE)
                # The trace ends by itself.
                lib.wait_until(lambda: trace.process.poll() is not None,
                               "the trace goes on")
                events = trace.end()
                killed = [e["victim"] for e in events
                          if e["kind"] == "oom-kill"]
                same(killed, [workload.pid], "victims")
                same(gained(before, "oom_kill"), 1, "oom_kill")
                stalls = [e for e in events if e["kind"] == "memcg-reclaim"]
                expect(stalls, "no reclaim")
                expect(all(e["ns"] > 0 for e in stalls), "stalls")
    finally:
        lib.wait_until(lambda: not group.read("cgroup.procs"), "still there")
        os.rmdir(group.path)


@test()
def trace_follow():
    """A command from its start, and its children with -f."""
    path = os.path.join(lib.directory(), "follow")
    for options, wanted in ([], 1), (["-f"], 3):
        with open(path, "wb") as out:
            done = lib.run("mmlens", "trace", "--json", "-e", "fault",
                           *options, "--", "sh", "-c", "/bin/true; /bin/true; :",
                           stdout=out)
        if b"reader was built without" in done.stderr:
            raise Skip("no trace")
        same(done.returncode, 0, done.stderr.decode())
        with open(path) as file:
            lines = [json.loads(line) for line in file]
        same(len({e["pid"] for e in lines[1:-1]}), wanted, f"{options}")


@test()
def trace_storm():
    """100,000 events are kept while the reader doesn't run; none is lost when
    they come as fast as they can."""
    with Workload() as workload, Trace("-e", "fault", workload.pid) as trace:
        lib.stop(trace.process.pid)
        before = workload.faults()
        workload.do("storm", 100000 // STORM)
        os.kill(trace.process.pid, signal.SIGCONT)
        began = time.monotonic()
        workload.do("storm", 20)
        seconds = time.monotonic() - began
        made = workload.faults() - before
        events = trace.end()
        same(trace.tail["lost"], 0, "lost")
        same(sum(map(is_fault, events)), made, "faults")
        note(f"{20 * STORM / seconds:.0f} faults a second beside the reader")


@test()
def trace_loss():
    """What doesn't fit is counted and shown."""
    with Workload() as workload, Trace("-e", "fault", "--buffer", "64K",
                                       workload.pid) as trace:
        lib.stop(trace.process.pid)
        before = workload.faults()
        workload.do("storm", 3)
        made = workload.faults() - before
        os.kill(trace.process.pid, signal.SIGCONT)
        time.sleep(0.5)
        events = trace.end()
        lost = trace.tail["lost"]
        expect(lost > 0, "nothing is lost")
        same(sum(map(is_fault, events)) + lost, made, "seen and lost")
        same(sum(e["lost"] for e in events if "lost" in e), lost, "shown")


@test(needs_module=False)
def trace_refuses():
    """What it can't do it says."""
    for arguments, status, text in (
            (["-e", "nothing", "1"], 2, b"no kind of event"),
            (["--seconds", "x", "1"], 2, b"number of seconds"),
            (["--"], 2, b"no command"),
            ([lib.free_pid()], 42, b"no such process")):
        done = lib.mmlens("trace", *arguments)
        if b"reader was built without" in done.stderr:
            raise Skip("no trace")
        same(done.returncode, status, f"{arguments}: {done.stderr}")
        expect(text in done.stderr, f"{arguments}: {done.stderr}")
    done = lib.in_nobody("mmlens", "trace", "1")
    same(done.returncode, 1, "without rights")


@test()
def trace_untraced():
    """What the kernel can't trace is said once; on these kernels only what
    isn't there yet."""
    done = lib.mmlens("trace", "-s", "--", "true")
    if b"reader was built without" in done.stderr:
        raise Skip("no trace")
    same(done.returncode, 0, done.stderr.decode())
    same(done.stderr, b"", "said")
