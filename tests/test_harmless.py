# SPDX-License-Identifier: GPL-2.0-only
"""Looking changes nothing: neither the process nor its pages."""
import os

import lib
import machine
import pagemap
from lib import expect, same, test


def look(pid):
    """All that can be asked about a process.

    By the observer, whose own pages are nobody else's: a process that ends
    tells the kernel which pages of its files it used.
    """
    address = pagemap.maps(pid)[0].start
    for question in (["maps", pid], ["pmap", "-x", pid], ["smaps", pid],
                     ["numa_maps", pid], ["pte", pid],
                     ["pte", "--each", "--absent", pid],
                     ["pte", "--pages", pid], ["tables", pid],
                     ["folios", pid], ["vtop", pid, f"{address:x}"]):
        lib.observer_ok(*question, stdout=lib.subprocess.DEVNULL)


def arguments_page(pid):
    """The page of /proc/PID/cmdline, which pmap reads as any pmap does:
    reading another process's memory marks its page as referenced."""
    start = int(lib.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[45])
    return start & -lib.PAGE


def pages_of(pid):
    """pagemap of all small VMAs, and the frames that only it maps."""
    known = {}
    for vma in pagemap.maps(pid):
        if vma.end - vma.start <= pagemap.DENSE_LIMIT >> 4:
            known[vma.start] = pagemap.pagemap(
                pid, vma.start, (vma.end - vma.start) // lib.PAGE)
    skipped = arguments_page(pid)
    frames = {entry & pagemap.FRAME for start, entries in known.items()
              for number, entry in enumerate(entries)
              if entry & pagemap.PRESENT
              and start + number * lib.PAGE != skipped}
    counts = pagemap.kpages("kpagecount", frames)
    return known, [frame for frame, count in counts.items() if count == 1]


def faults(pid):
    """Minor and major faults, of the process and of its children."""
    return lib.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[7:11]


def memory(pid):
    return [line for line in lib.read(f"/proc/{pid}/status").splitlines()
            if line.startswith(("Vm", "Rss"))]


def snapshot(pid):
    known, frames = pages_of(pid)
    return {"pagemap": known,
            "kpageflags": pagemap.kpages("kpageflags", frames),
            "faults": faults(pid), "memory": memory(pid)}


def settled_snapshot(pid):
    """The kernel puts pages on its lists in batches: when no more come."""
    last = snapshot(pid)
    for _ in range(5):
        now = snapshot(pid)
        if now == last:
            return now
        last = now
    raise lib.Failure("the pages don't come to rest by themselves")


def difference(before, after):
    """The first ten keys whose values differ, and how."""
    if not isinstance(before, dict):
        return before, after
    return [(key, before.get(key), after.get(key))
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)][:10]


@test()
def looking_leaves_pages_alone():
    """Entries, page flags, faults and sizes stay as they are."""
    pid = machine.workload().pid
    look(pid)
    before = settled_snapshot(pid)
    look(pid)
    after = settled_snapshot(pid)
    for key in before:
        expect(after[key] == before[key],
               f"{key}: {difference(before[key], after[key])}")


@test()
def looking_leaves_accessed_bits():
    """Referenced of smaps counts accessed entries: none stays none."""
    pid = machine.python()
    lib.write(f"/proc/{pid}/clear_refs", "1")
    page = arguments_page(pid)
    stack = next(v.start for v in pagemap.maps(pid) if v.start <= page < v.end)

    def referenced():
        return {start: fields["Referenced"]
                for start, fields in pagemap.smaps(pid).items()
                if fields["Referenced"] and fields["Anonymous"]
                == fields["Rss"] and start != stack}
    before = referenced()
    look(pid)
    same(referenced(), before, "Referenced of private mappings")
    expect(len(before) < 5, f"clear_refs cleared little: {before}")


@test()
def looking_leaves_soft_dirty():
    """Nothing becomes soft-dirty."""
    pid = machine.python()
    lib.write(f"/proc/{pid}/clear_refs", "4")

    def dirty():
        return {start: sum(bool(e & pagemap.SOFT_DIRTY) for e in entries)
                for start, entries in pages_of(pid)[0].items()}
    before = dirty()
    look(pid)
    same(dirty(), before, "soft-dirty pages")
    same(sum(before.values()), 0, "soft-dirty pages after clear_refs")


@test()
def looking_does_not_wake():
    """A stopped process isn't scheduled, and stays stopped."""
    pid = machine.shell()

    def switches():
        return [line for line in lib.read(f"/proc/{pid}/status").splitlines()
                if "ctxt_switches" in line]
    before = switches()
    look(pid)
    same(switches(), before, "context switches")
    same(lib.process_state(pid), "T", "state")


@test()
def looking_leaves_no_reference():
    """A process that ends after a look gives all of its memory back."""
    def free():
        return int(lib.re.search(r"MemFree: +(\d+)",
                                 lib.read("/proc/meminfo")).group(1))

    def used_and_gone():
        workload = machine.Workload("bulk", str(64 << 20))
        lib.mmlens_ok("pte", "--each", workload.pid,
                      stdout=lib.subprocess.DEVNULL)
        descriptor = os.open(lib.DEVICE, os.O_RDONLY)
        workload.end()
        os.close(descriptor)
    used_and_gone()
    before = free()
    for _ in range(3):
        used_and_gone()
    lib.wait_until(lambda: free() > before - (32 << 10),
                   f"less than the {before} kB that were free")
