# SPDX-License-Identifier: GPL-2.0-only
"""mmlens lab: each experiment sees its lessons, what it says is what the kernel's
own counters say, and nothing of it is left behind."""
import glob
import json
import os
import re
import signal
import subprocess

import cgroups
import lib
import plots
from lib import PAGE, Skip, expect, same, test, wait_until
from test_vtop import levels, shift

SEEN, NOT_SEEN, USAGE, CANNOT = 0, 1, 2, 3

SETTINGS = ("/proc/sys/vm/swappiness", cgroups.GENERATIONS,
            "/proc/sys/vm/percpu_pagelist_high_fraction",
            "/proc/sys/vm/percpu_pagelist_fraction",
            "/sys/kernel/mm/transparent_hugepage/enabled",
            "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
            "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages",
            f"{cgroups.ROOT}/cgroup.subtree_control", "/proc/swaps")


def left_behind():
    """What there is of experiments that have ended."""
    return (glob.glob("/var/tmp/mmlens-lab-*") +
            glob.glob(f"{cgroups.ROOT}/mmlens-lab-*") +
            [line for line in lib.read("/proc/swaps").splitlines()
             if "mmlens-lab" in line] +
            lib.run("pgrep", "-f", "mmlens lab").stdout.decode().split())


def settings():
    found = {path: lib.read(path) for path in SETTINGS if os.path.exists(path)}
    # How much of it is used changes.
    found["/proc/swaps"] = [line.split()[:3] for line in
                            found["/proc/swaps"].splitlines()]
    return found


def vmstat():
    return {key: int(value) for key, value in
            map(str.split, lib.read("/proc/vmstat").splitlines())}


def lab(*arguments):
    """Status, and the document."""
    done = lib.mmlens("lab", "run", "--json", *arguments, timeout=1000)
    said = done.stderr.decode(errors="replace").strip()
    expect(done.stdout, f"lab run {arguments}: nothing ({said})")
    return done.returncode, json.loads(done.stdout)


def observations(document, kind):
    return [each for step in document["steps"]
            for each in step["observations"] if kind in each]


def numbers(document, name):
    return [(each["before"], each["after"]) for each in
            observations(document, "number") if each["number"] == name]


def explain(document):
    lessons = [each["lesson"] for each in observations(document, "lesson")
               if not each["seen"]]
    return f"{document['result']}: {document.get('why', '')} {lessons}"


# ---- what the kernel's counters must say ----

def check_lazy(document, before, after):
    expect(after["pgfault"] - before["pgfault"] >= 16384 + 8192 + 8192,
           "too few page faults")
    (rss,) = [after for _, after in
              numbers(document, "RSS of the mapping")][-1:]
    same(rss, 64 << 20, "RSS at the end")


def check_cow(document, before, after):
    entries = observations(document, "va")
    forked = [each for each in entries if each.get("what") == "the child's"]
    copied = forked[1]
    expect(copied["before"]["pfn"] != copied["after"]["pfn"],
           "the copy has the PFN of the original")
    # A quarter of 4 MiB and the page that was reused.
    expect(after["pgfault"] - before["pgfault"] >= 256, "too few page faults")


def check_pageout(document, before, after):
    same(after["oom_kill"] - before["oom_kill"], 1, "OOM kills")
    expect((after["pswpout"] - before["pswpout"]) * PAGE >= 8 << 20,
           "too little was swapped out")
    log = lib.run("dmesg").stdout.decode(errors="replace")
    expect("Memory cgroup out of memory: Killed process" in log,
           "the kernel's log tells of no kill in a cgroup")


def check_dirty(_, before, after):
    expect(after["nr_dirtied"] - before["nr_dirtied"] >= 32,
           "too few pages became dirty")
    expect(after["nr_written"] - before["nr_written"] >= 16,
           "too few pages were written")


def check_accessed(document, *_):
    """2 MiB at least were reclaimed, of those left alone first."""
    alone, touched = observations(document, "columns")[-1]["rows"]
    expect(alone[-1] + touched[-1] >= 512 and alone[-1] > touched[-1],
           f"evicted: {alone}, {touched}")


def check_walk(document, *_):
    """The indices are the address's, by arithmetic."""
    found = observations(document, "levels")
    expect(len(found) >= 2, f"{len(found)} translations")
    sizes = {each["page_size"] for each in found}
    expect({4096, 2 << 20} <= sizes, f"pages of {sizes}")
    for each in found:
        va = int(each["va"], 16)
        names = [level["level"] for level in each["levels"]]
        same(names, levels()[:len(names)], f"levels of {va:#x}")
        for level in each["levels"]:
            same(level["index"], va >> shift(level["level"]) & 511,
                 f"index at {level['level']}")
        same(int(each["phys"], 16) % each["page_size"],
             va % each["page_size"], "offset in the page")
    check_five_levels(document, found)


def check_five_levels(document, found):
    """Where there are five, one page is above what four can reach."""
    said = " ".join(each["lesson"] for each in
                    observations(document, "lesson"))
    high = [each for each in found if int(each["va"], 16) >> 47]
    if "p4d" not in levels():
        same(high, [], "translations above 2^47")
        expect("p4d is folded" in said, f"it doesn't say so: {said}")
        return
    same(len(high), 1, "translations above 2^47")
    expect("p4d isn't folded" in said, f"it doesn't say so: {said}")
    (pgd, p4d), (low_pgd, low_p4d) = (each["levels"][:2] for each in
                                      (high[0], found[0]))
    same((p4d["level"], low_p4d["level"]), ("p4d", "p4d"), "second level")
    same(pgd["table_pfn"], low_pgd["table_pfn"], "table on top")
    expect(pgd["index"] != low_pgd["index"] and
           p4d["index"] != low_p4d["index"],
           f"indices {pgd['index']}, {p4d['index']} and "
           f"{low_pgd['index']}, {low_p4d['index']}")
    expect(p4d["table_pfn"] not in (pgd["table_pfn"], low_p4d["table_pfn"]),
           "its p4d is no table of its own")


def check_kernelmap(document, *_):
    user, kernel = observations(document, "levels")
    same(kernel["phys"], user["phys"], "physical address")
    expect(int(kernel["va"], 16) >> 63, "it isn't an address of the kernel")


def check_kpti(document, *_):
    kernel, user = observations(document, "levels")[:2]
    same(user["levels"][0]["table_pfn"],
         kernel["levels"][0]["table_pfn"] + 1, "PFN of user mode's top table")
    expect("phys" in kernel and "phys" not in user,
           "the direct map is there in user mode")


def check_zones(_, before, after):
    expect(after["pgsteal_kswapd"] > before["pgsteal_kswapd"],
           "kswapd reclaimed nothing")
    expect(after["pageoutrun"] > before["pageoutrun"], "kswapd didn't run")


def check_buddy(document, before, after):
    expect(after["compact_migrate_scanned"] > before["compact_migrate_scanned"],
           "nothing was compacted")
    expect(after["pgmigrate_success"] > before["pgmigrate_success"],
           "no page was moved")
    stages = [each for each in observations(document, "columns")
              if len(each["columns"]) == 6]
    rows = {row[0]: row[1:] for row in stages[-1]["rows"]}
    # How far compaction goes is the kernel's business.
    expect(rows["0"][1] < rows["0"][3] < rows["0"][2],
           f"free pages of order 0: {rows['0']}")


def check_swap(document, before, after):
    expect(after["pswpout"] - before["pswpout"] >= 1900, "too few swapped out")
    same(numbers(document, "VmSwap")[0][1] // PAGE > 1900, True, "VmSwap")


def check_hugepages(_, before, after):
    expect(after["thp_fault_alloc"] - before["thp_fault_alloc"] >= 4,
           "no huge pages were given")
    expect(after["thp_split_pmd"] > before["thp_split_pmd"], "none was split")


def check_slab(document, *_):
    files = numbers(document, "open files")
    expect(files[0][1] - files[0][0] >= 16000, f"open files: {files}")


def check_vmalloc(document, *_):
    stacks = numbers(document, "KernelStack")
    expect(stacks[0][1] - stacks[0][0] >= 256 * 16 << 10,
           f"KernelStack: {stacks}")


CHECKS = {"lazy": check_lazy, "cow": check_cow, "pageout": check_pageout,
          "dirty": check_dirty, "accessed": check_accessed, "walk": check_walk,
          "kpti": check_kpti, "zones": check_zones, "buddy": check_buddy,
          "swap": check_swap, "hugepages": check_hugepages,
          "kernelmap": check_kernelmap, "slab": check_slab,
          "vmalloc": check_vmalloc}


def isolation():
    """The boot parameter, or the processor: one that needs none can be told."""
    path = "/sys/devices/system/cpu/vulnerabilities/meltdown"
    return "pti=on" in lib.read("/proc/cmdline").split() or (
        os.path.exists(path) and "PTI" in lib.read(path))


def can_run(name):
    return name != "kpti" or isolation()


def gave_up_compaction(name, document):
    """Not one page of the process was moved, and nothing else is wrong."""
    missed = [each["lesson"] for each in observations(document, "lesson")
              if not each["seen"]]
    return name == "buddy" and len(missed) == 1 and \
        missed[0].startswith("0 of the process's pages have another PFN")


def run_and_check(name, *arguments):
    before, were = vmstat(), settings()
    status, document = lab(*arguments, name)
    after = vmstat()
    if not can_run(name):
        same(status, CANNOT, f"status ({explain(document)})")
        same(document["result"], "can't run here", "result")
        expect(document["why"], "it doesn't say why")
        return document
    if status == NOT_SEEN and gave_up_compaction(name, document):
        same(left_behind(), [], "left behind")
        same(settings(), were, "settings")
        raise Skip(f"the kernel gave up compaction early: {explain(document)}")
    same(status, SEEN, f"status ({explain(document)})")
    same(document["result"], "seen", "result")
    same(document["lessons_not_seen"], 0, "lessons that weren't seen")
    lessons = observations(document, "lesson")
    same(document["lessons_seen"], len(lessons), "lessons")
    expect(len(lessons) >= 3, f"{len(lessons)} lessons")
    CHECKS[name](document, before, after)
    same(left_behind(), [], "left behind")
    same(settings(), were, "settings")
    return document


@test(*CHECKS, name="lab")
def lab_sees_its_lessons(name):
    if name == "pageout":
        with lib.oom_kill_expected():
            run_and_check(name)
    else:
        run_and_check(name)


@test("classic", "generations")
def lab_accessed_on(kind):
    """Second chance is another thing on the one and on the other."""
    with cgroups.lists_of(kind):
        document = run_and_check("accessed")
    columns = {name for each in observations(document, "columns")
               for name in each["columns"]}
    expect(("gen 0" in columns) == (kind == "generations"),
           f"columns: {columns}")


@test()
def lab_lists_its_experiments():
    listed = json.loads(lib.mmlens_ok("lab", "list", "--json"))
    same(sorted(each["name"] for each in listed["experiments"]),
         sorted(CHECKS), "experiments")
    text = lib.mmlens_ok("lab", "list").decode()
    for name in CHECKS:
        expect(re.search(f"^{name} ", text, re.M), f"{name} isn't listed")


@test()
def lab_unknown_experiment_is_wrong_usage():
    for arguments in (["run", "nonesuch"], ["run"], [], ["walk"],
                      ["run", "walk", "swap"], ["list", "walk"],
                      ["run", "--plot", "plot.txt", "walk"],
                      ["run", "--from", "/dev/null", "walk"]):
        same(lib.mmlens("lab", *arguments).returncode, USAGE,
             f"lab {arguments}")


@test()
def lab_says_what_changed():
    """As text: entries with their changes marked, and the result at the end."""
    text = lib.mmlens_ok("lab", "run", "cow").decode()
    expect(re.search(r"^ +before +present .* rw\b", text, re.M),
           "no entry that was writable")
    expect(re.search(r"^ +after +present .* -rw\b", text, re.M),
           "it isn't marked that the permission went")
    expect(re.search(r"^seen \(lessons: \d+ seen, 0 not seen\)$", text, re.M),
           f"the end is {text[-200:]!r}")
    same(max(map(len, text.splitlines())) < 400, True, "no line is endless")


@test()
def lab_draws_what_it_follows():
    path = os.path.join(lib.directory(), "lab-pageout.svg")
    with lib.oom_kill_expected():
        status, document = lab("--plot", path, "pageout")
    same(status, SEEN, explain(document))
    drawn = plots.Svg(path).texts
    for word in ("swapped out", "anonymous", "killed"):
        expect(any(word in text for text in drawn if text),
               f"{word} isn't in the plot: {drawn}")


@test("swap", "buddy")
def lab_interrupted(name):
    """It ends at once, and nothing is left."""
    were = settings()
    with lib.process("mmlens", "lab", "run", name,
                     stdout=subprocess.PIPE) as process:
        wait_until(lambda: glob.glob(f"{cgroups.ROOT}/mmlens-lab-*") or
                   process.poll() is not None, "it doesn't begin")
        for line in process.stdout:
            if line.startswith(b"1. "):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().decode()
        same(process.wait(60 * lib.PATIENCE), NOT_SEEN, "status")
    expect("interrupted" in rest, f"it says {rest[-200:]!r}")
    same(left_behind(), [], "left behind")
    same(settings(), were, "settings")


@test()
def lab_whose_reader_goes():
    """As with | head: it ends, and nothing is left."""
    were = settings()
    with lib.process("mmlens", "lab", "run", "swap",
                     stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        expect(process.wait(60 * lib.PATIENCE) != SEEN, "it goes on to its end")
    same(left_behind(), [], "left behind")
    same(settings(), were, "settings")


@test(asked_for=True)
def version_1_lab():
    """That is for a machine of its own: the controller may not go back."""
    with cgroups.version_1() as place:
        for name in ("lazy", "cow", "accessed"):
            document = run_and_check(name)
            expect(document["memcg"].startswith(place),
                   f"{name} is in {document['memcg']}")


@test(asked_for=True)
def without_memcgs_lab():
    """Those that need one say so."""
    if not cgroups.are_off():
        raise Skip("there are memory cgroups")
    for name in ("accessed", "pageout"):
        status, document = lab(name)
        same(status, CANNOT, explain(document))
        expect("memory cgroup" in document["why"], document["why"])
    expect("memcg" not in lab("lazy")[1], "lazy names a memory cgroup")
