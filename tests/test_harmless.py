# SPDX-License-Identifier: GPL-2.0-only
"""Looking changes nothing: neither the process nor its pages."""
import os

import lib
import machine
import pagemap
from lib import expect, same, test

WALKS = 3


def look(pid):
    """All that can be asked about a process, several times."""
    address = pagemap.maps(pid)[0].start
    for _ in range(WALKS):
        lib.mmlens_ok("maps", pid)
        lib.mmlens_ok("pmap", "-x", pid)
        lib.mmlens_ok("pte", pid)
        lib.mmlens_ok("pte", "--each", "--absent", pid,
                      stdout=lib.subprocess.DEVNULL)
        lib.mmlens_ok("vtop", pid, f"{address:x}")


def pages_of(pid):
    """pagemap of all small VMAs, and their frames."""
    known = {}
    for vma in pagemap.maps(pid):
        if vma.end - vma.start <= pagemap.DENSE_LIMIT >> 4:
            known[vma.start] = pagemap.pagemap(
                pid, vma.start, (vma.end - vma.start) // lib.PAGE)
    frames = {entry & pagemap.FRAME for entries in known.values()
              for entry in entries if entry & pagemap.PRESENT}
    return known, sorted(frames)


def kpages(name, frames):
    return [pagemap.kpage(name, frame) for frame in frames]


def faults(pid):
    """Minor and major faults, of the process and of its children."""
    return lib.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[7:11]


def memory(pid):
    return [line for line in lib.read(f"/proc/{pid}/status").splitlines()
            if line.startswith(("Vm", "Rss"))]


def snapshot(pid):
    known, frames = pages_of(pid)
    return {"pagemap": known, "kpageflags": kpages("kpageflags", frames),
            "kpagecount": kpages("kpagecount", frames),
            "faults": faults(pid), "memory": memory(pid)}


@test()
def looking_leaves_pages_alone():
    """Entries, page flags, mapcounts, faults and sizes stay as they are.

    Frames that the reader or the test run may map themselves (libraries) are
    watched, too: nothing new is started between the two looks that isn't
    started before.
    """
    pid = machine.workload().pid
    look(pid)
    before = snapshot(pid)
    look(pid)
    for _ in range(3):
        after = snapshot(pid)
        if after == before:
            return
    for key in before:
        same(after[key] == before[key], True, f"{key} is as before")


@test()
def looking_leaves_accessed_bits():
    """Referenced of smaps counts accessed entries: none stays none."""
    pid = machine.python()
    lib.write(f"/proc/{pid}/clear_refs", "1")

    def referenced():
        return {start: fields["Referenced"]
                for start, fields in pagemap.smaps(pid).items()
                if fields["Referenced"] and fields["Anonymous"]
                == fields["Rss"]}
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
