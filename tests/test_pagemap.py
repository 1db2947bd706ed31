# SPDX-License-Identifier: GPL-2.0-only
"""Every entry equals /proc/PID/pagemap; none is missing, none extra."""
import lib
import machine
import pagemap
from lib import expect, same, test
from pagemap import PAGE


@test(*machine.TARGETS, name="pagemap")
def pagemap_equals(target):
    comparison = pagemap.compare(machine.TARGETS[target]())
    expect(comparison.pages > 100, f"only {comparison.pages} pages compared")
    expect(len(comparison.entries) > 50,
           f"only {len(comparison.entries)} entries")


@test()
def absent_and_present_fill_each_vma():
    """With --absent, entries and holes follow each other without a gap."""
    pid = machine.shell()
    entries = pagemap.entries_of(pid, "--absent")
    vmas = pagemap.maps(pid)
    at = iter(entries)
    for vma in vmas:
        where = vma.start
        while where < vma.end:
            entry = next(at, None)
            expect(entry, f"nothing covers {where:#x}")
            same(hex(entry["va"]), hex(where), "the next entry's address")
            where += entry["size"]
        same(hex(where), hex(vma.end), "the end of a VMA's entries")
    expect(next(at, None) is None, "entries behind the last VMA")


def _lasting(entry):
    """Flags without what depends on who else maps a file's page: each run of
    the reader maps pages of its libraries, too."""
    if "file" in entry["flags"]:
        return entry["flags"] - {"exclusive"}
    return entry["flags"]


@test()
@lib.settles
def runs_expand_to_entries():
    """Runs are the same entries, written shorter."""
    pid = machine.workload().pid
    entries = pagemap.entries_of(pid)
    runs = pagemap.runs_of(pid)
    at = 0
    for run in runs:
        part = entries[at:at + run["entries"]]
        at += run["entries"]
        same(len(part), run["entries"], f"entries of {run['start']:#x}")
        same((part[0]["va"], part[-1]["va"] + part[-1]["size"]),
             (run["start"], run["end"]), "addresses of a run")
        first, last = part[0], part[-1]
        for entry in part:
            same((entry["state"], entry["level"], _lasting(entry)),
                 (run["state"], run["level"], _lasting(run)),
                 f"{entry['va']:#x} and its run")
        for key in "pfn", "swap", "marker":
            same(first.get(key), run.get(key), f"{key} of a run")
        if run.get("contiguous") and "pfn" in run:
            same(last["pfn"] - first["pfn"],
                 (last["va"] - first["va"]) // PAGE, "a contiguous run")
    same(at, len(entries), "entries in all runs")


def _meet(entries, start, end):
    return [e for e in entries if e["va"] < end and e["va"] + e["size"] > start]


@test()
def ranges_cut_the_walk():
    """A range gives the entries that meet it, and no others."""
    workload = machine.workload()
    entries = machine.entries_of_workload()
    third, thp, swap = (workload.regions[name][0]
                        for name in ("every_third", "thp", "swap"))
    ranges = [third, thp, (third[0] + PAGE, third[1] - PAGE),
              (thp[0] + 5 * PAGE, thp[0] + 6 * PAGE),
              (thp[0] - PAGE, thp[1] + PAGE),
              (swap[0], swap[0] + PAGE), (swap[1], swap[1] + PAGE),
              (0, swap[0])]
    for start, end in ranges:
        got = pagemap.entries_of(workload.pid, f"{start:#x}-{end:#x}")
        same([hex(e["va"]) for e in got],
             [hex(e["va"]) for e in _meet(entries, start, end)],
             f"entries in {start:#x}-{end:#x}")
    got = pagemap.entries_of(workload.pid, f"{third[0] + 5:x}")
    same([e["va"] for e in got], [third[0]], "the page that holds an address")


@test()
def anonymous_exclusiveness_is_the_pages():
    """anon_exclusive equals the page's own flag in kpageflags."""
    checked = 0
    for entry in machine.entries_of_workload():
        if entry["state"] != "present" or "zero" in entry["flags"]:
            continue
        flags = pagemap.kpage("kpageflags", entry["pfn"])
        if flags & (pagemap.KPF_COMPOUND | pagemap.KPF_KSM) or (
                not flags & pagemap.KPF_ANON):
            continue
        same("anon_exclusive" in entry["flags"],
             bool(flags & pagemap.KPF_ANON_EXCLUSIVE),
             f"anon_exclusive at {entry['va']:#x}")
        checked += 1
    expect(checked > 100, f"only {checked} pages looked at")


@test()
def zero_pages_are_the_kernels():
    """zero is set on exactly the pages that kpageflags calls so."""
    found = 0
    for entry in machine.entries_of_workload():
        if entry["state"] not in ("present", "numa_hint"):
            continue
        flags = pagemap.kpage("kpageflags", entry["pfn"])
        zero = not flags & pagemap.KPF_NOPAGE and bool(
            flags & pagemap.KPF_ZERO_PAGE)
        same("zero" in entry["flags"], zero, f"zero at {entry['va']:#x}")
        found += zero
    expect(found >= 16, f"only {found} zero pages")


@test()
def walk_reports_itself():
    """The document says how many entries there are and how it went."""
    pid = machine.shell()
    document = lib.observe("pte", pid, "--each")
    same(document["pid"], pid, "pid")
    same(document["walk"]["entries"], len(document["entries"]), "entries")
    same(document["walk"]["truncated"], False, "truncated")
    same(document["walk"]["restarts"], 0, "restarts of a stopped process")
    expect(document["walk"]["max_lock_hold_ns"] > 0, "no lock was held")
    same(document["mmlens"]["page_size"], PAGE, "page_size")
    same(document["mmlens"]["kernel"],
         lib.read("/proc/sys/kernel/osrelease").strip(), "kernel")
