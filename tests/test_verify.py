# SPDX-License-Identifier: GPL-2.0-only
"""mmlens verify: finds nothing wrong on a quiet machine, and finds what was made
wrong: a file of the kernel with another number in it, and records that were
changed on their way from the module."""
import contextlib
import json
import os
import re

import cgroups
import lib
import machine
from lib import Skip, expect, note, same, test

PROC_FILES = ("maps", "smaps", "smaps_rollup", "numa_maps")


def verify(*arguments, status=0, **options):
    """The checks by name, and the whole document."""
    done = lib.mmlens("verify", "--json", *arguments, **options)
    said = done.stderr.decode(errors="replace") + \
        done.stdout.decode(errors="replace")[-3000:]
    same(done.returncode, status, f"verify {arguments}: status ({said})")
    document = json.loads(done.stdout)
    return {c["check"]: c for c in document["checks"]}, document


def names():
    text = lib.mmlens_ok("verify", "--list").decode()
    return [line.split()[0] for line in text.splitlines()]


@contextlib.contextmanager
def addresses_shown():
    """vmallocinfo has them for root alone, where this is 1."""
    path = "/proc/sys/kernel/kptr_restrict"
    before = lib.read(path)
    lib.write(path, 1)
    try:
        yield
    finally:
        lib.write(path, before)


# ---- nothing is wrong ----

# What may be missing, and why.
MAY_SKIP = {
    "pmap": "isn't installed", "kpagecgroup": "No such file",
    "lru_gen": "No such file", "numa_stat": "memory cgroup",
    "image": "can't be read", "modules": "can't be read",
    "vmalloc": "can't be read",
}


def check_document(checks, document):
    """Sums, and that each check has compared something or says why not."""
    for key in "compared", "mismatches":
        same(sum(c[key] for c in checks.values()), document[key], key)
    for name, check in checks.items():
        if "skipped" in check:
            expect(name in MAY_SKIP and MAY_SKIP[name] in check["skipped"],
                   f"{name} was skipped: {check['skipped']}")
        else:
            expect(check["compared"] > 0, f"{name} compared nothing")
        same(check.get("shown"), None, f"{name}: mismatches")
        same(check.get("error"), None, f"{name}: error")


@test()
def verify_finds_nothing_wrong():
    """Every check, on a machine that does little, with all kinds of entries."""
    machine.quiet()
    machine.workload()
    with addresses_shown():
        checks, document = verify()
    same(list(checks), names(), "checks")
    check_document(checks, document)
    expect(document["compared"] > 100000, f"only {document['compared']}")
    skipped = [name for name, c in checks.items() if "skipped" in c]
    note(f"{document['compared']} comparisons, skipped: "
         f"{' '.join(skipped) or 'none'}")


@test()
def verify_looks_at_the_workload():
    """The process with every kind of entry, as a whole."""
    pid = machine.workload().pid
    checks, document = verify("-p", pid, "--samples", "8", *PROC_FILES,
                              "pagemap", "vtop", "mapped", "tables")
    check_document(checks, document)
    expect(checks["pagemap"]["compared"] > 5000,
           f"only {checks['pagemap']['compared']} pages")
    same({c["processes"] for c in checks.values()}, {1}, "processes")


@test()
def verify_text_is_the_document():
    machine.quiet()
    text = lib.mmlens_ok("verify", "--quick", "buddyinfo", "maps").decode()
    lines = re.findall(r"^(\S+) +(\d+) +(\d+) /proc", text, re.M)
    same([(name, wrong) for name, _, wrong in lines],
         [("maps", "0"), ("buddyinfo", "0")], "checks")
    total, wrong = re.search(r"^(\d+) comparisons in 2 checks: (\d+) mism",
                             text, re.M).groups()
    same(int(total), sum(int(count) for _, count, _ in lines), "sum")
    same(wrong, "0", "mismatches")


# ---- a file of the kernel is another one ----

@contextlib.contextmanager
def instead_of(path, text):
    """While inside, the file has that text."""
    place = os.path.join(lib.directory(), "instead")
    lib.write(place, text)
    done = lib.run("mount", "--bind", place, path)
    same(done.returncode, 0, f"mount: {done.stderr.decode()}")
    try:
        yield
    finally:
        lib.run("umount", path)


def changed(text, pattern, by):
    """The number that the pattern's group is, made another one."""
    match = re.search(pattern, text, re.M)
    expect(match, f"nothing like {pattern}")
    start, end = match.span(1)
    value = str(int(match[1]) + by)
    # a column is as wide as it was
    return text[:max(0, start - (len(value) - (end - start)))] + value + \
        text[end:]


WRONG = {
    "zoneinfo": ("/proc/zoneinfo", r"present +(\d+)", 1),
    "ledger": ("/proc/zoneinfo", r"zone +DMA32[\s\S]*?present +(\d+)", 1),
    "buddyinfo": ("/proc/buddyinfo", r"DMA32 +(\d+)", 1000),
    "pagetypeinfo": ("/proc/pagetypeinfo", r"Movable +(\d+)", 1000),
    "meminfo": ("/proc/meminfo", r"^MemTotal: +(\d+)", 100000),
    "vmstat": ("/proc/vmstat", r"^nr_free_pages (\d+)", 100000),
    "lru": ("/proc/zoneinfo", r"nr_zone_inactive_file +(\d+)", 100000),
    "iomem": ("/proc/iomem", None, 0),
}


@test(*WRONG)
def verify_finds_a_wrong(check):
    """A number of the file is changed: that is the mismatch, with both."""
    machine.quiet()
    path, pattern, by = WRONG[check]
    text = lib.read(path)
    if pattern:
        text = changed(text, pattern, by)
    else:
        head, name, tail = text.rpartition("System RAM")
        text = f"{head}no memory{tail}"
    with instead_of(path, text):
        checks, _ = verify(check, status=1)
    found = checks[check]
    expect(found["mismatches"] > 0, f"{check} found nothing")
    shown = found["shown"][0]
    expect(shown["kernel"] != shown["mmlens"], f"{shown}")
    expect(len(found["shown"]) <= 10, "too many are shown")


def file_of_shell(name):
    pid = machine.shell()
    return pid, f"/proc/{pid}/{name}", lib.read(f"/proc/{pid}/{name}")


# A number that doesn't depend on who looks: the file stands still, and the
# reader maps pages that the process maps, too.
WRONG_OF_PROCESS = {
    "maps": r"^[0-9a-f]+-.* [0-9a-f]+:[0-9a-f]+ ([1-9]\d+) ",
    "smaps": r"^Rss: +([1-9]\d*)", "smaps_rollup": r"^Rss: +(\d+)",
}


def numbers(line):
    return [int(word) for word in re.findall(r"\b\d+\b", line)]


@test(*WRONG_OF_PROCESS)
def verify_finds_a_wrong_file_of_a_process(name):
    pid, path, text = file_of_shell(name)
    with instead_of(path, changed(text, WRONG_OF_PROCESS[name], 8)):
        checks, _ = verify("-p", pid, "--most", "1000", name, status=1)
        text = lib.mmlens("verify", "-p", pid, "--most", "1000", name)
    found = [m for m in checks[name]["shown"]
             if name == "maps" or m["kernel"].startswith("Rss:")]
    same(len(found), 1, f"mismatches of what was changed in {found}")
    shown, = found
    expect(shown["what"].startswith(f"PID {pid} "), f"{shown}")
    same([a - b for a, b in zip(numbers(shown["kernel"]),
                                numbers(shown["mmlens"])) if a != b], [8],
         f"by how much they differ: {shown}")
    line = f"  {shown['what']}: kernel {shown['kernel']}, mmlens " \
        f"{shown['mmlens']}\n"
    expect(line in text.stdout.decode(), f"{line} isn't shown")


@test()
def verify_finds_a_wrong_counter_of_a_process():
    pid, path, text = file_of_shell("status")
    with instead_of(path, changed(text, r"^VmPTE:\s+(\d+)", 4)):
        checks, _ = verify("-p", pid, "tables", status=1)
    same(checks["tables"]["mismatches"], 1, "mismatches")
    same(checks["tables"]["shown"][0]["kernel"],
         str(int(checks["tables"]["shown"][0]["mmlens"]) + 4), "VmPTE")


# ---- what the module says is changed on its way ----

# Checks that see what the library in front does to one kind of record.
LIES = {
    "pte": ("pagemap", "vtop", "child"), "vma": ("maps", "smaps"),
    "smaps": ("smaps", "smaps_rollup"), "pfns": ("kpageflags", "kpagecount"),
    "page": ("mapped",), "proc": ("processes",), "table": ("tables",),
    "zone": ("zoneinfo", "meminfo"), "counters": ("zoneinfo", "vmstat"),
    "blocks": ("pagetypeinfo",), "lru": ("lru",), "user": ("users",),
    "numa": ("numa_maps",),
}


@test(*LIES)
def verify_finds_lies(record):
    machine.quiet()
    environment = {**os.environ, "LD_PRELOAD": lib.program("preload.so"),
                   "MMLENS_TEST": f"lie:{record}"}
    wanted = LIES[record]
    if record == "numa" and not os.path.exists("/proc/self/numa_maps"):
        raise Skip("this kernel has no numa_maps")
    checks, _ = verify("--quick", "--most", "3", *wanted, status=1,
                       env=environment)
    for name in wanted:
        expect(checks[name]["mismatches"] > 0, f"{name} found nothing")
        expect(1 <= len(checks[name]["shown"]) <= 3, f"{name}: shown")


@test()
def verify_of_memory_cgroups():
    """Lists of a memory cgroup, and what is found where they are lied about."""
    machine.quiet()
    with cgroups.group("verify") as group:
        script = (f"open('{group.path}/cgroup.procs', 'w').write('0'); "
                  "pages = bytearray(20 << 20); print(flush=True); "
                  "input()")
        with lib.process("python3", "-c", script, stdin=-1, stdout=-1) as user:
            user.stdout.readline()
            machine.drain()
            checks, document = verify("--quick", "numa_stat", "lru_gen",
                                      "lru-pages", "lru")
            check_document(checks, document)
            expect(checks["numa_stat"]["compared"] >= 3, f"{checks}")
            environment = {**os.environ, "MMLENS_TEST": "lie:lru",
                           "LD_PRELOAD": lib.program("preload.so")}
            checks, _ = verify("--quick", "numa_stat", status=1,
                               env=environment)
            expect(checks["numa_stat"]["mismatches"] > 0, f"{checks}")


# ---- who and what ----

@test()
def verify_skips_what_isnt_there():
    machine.quiet()
    with lib.process("sleep", "600") as other:
        checks, _ = verify("-p", other.pid, "maps", "child")
        same(checks["maps"]["processes"], 1, "processes")
    path = "/proc/sys/kernel/kptr_restrict"
    before = lib.read(path)
    lib.write(path, 2)
    try:
        checks, document = verify("vmalloc", "--quick")
    finally:
        lib.write(path, before)
    expect("kptr_restrict" in checks["vmalloc"]["skipped"] or
           "query" in checks["vmalloc"]["skipped"], f"{checks}")
    same(document["skipped"], 1, "skipped")


@test()
def verify_refuses():
    for arguments, status in ((["frobnicate"], 2), (["--samples", "0"], 2),
                              (["-p", "x"], 2), (["--from", "/x"], 2),
                              (["-p", lib.free_pid(), "maps"], 42),
                              (["-p", lib.kernel_thread(), "maps"], 1)):
        done = lib.mmlens("verify", *arguments)
        same(done.returncode, status, f"status of {arguments}")
        expect(done.stderr, f"{arguments}: nothing is said")


@test()
def verify_leaves_nothing_behind():
    """No child, and nothing in the kernel's log."""
    with lib.quiet_kernel():
        verify("--quick", "maps", "child")
    left = [comm for comm in
            (lib.read(f"/proc/{pid}/comm").strip()
             for pid in os.listdir("/proc")
             if pid.isdigit() and os.path.exists(f"/proc/{pid}/comm"))
            if comm == "mmlens-child"]
    same(left, [], "processes that are left")
