# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own page table, against itself.

What stands in it is read a second time through /proc/kcore, from init_top_pgt
of /proc/kallsyms down, and what the kernel says of its parts elsewhere:
iomem, modules, vmallocinfo, meminfo.
"""
import array
import collections
import os
import re
import struct
import subprocess
import time

import lib
import machine
import records
import test_vtop
from lib import PAGE, Skip, expect, same, settles, test
from test_vtop import kcore, levels, shift

PRESENT, RW, USER, ACCESSED, DIRTY = 1, 2, 4, 1 << 5, 1 << 6
LARGE, NX = 1 << 7, 1 << 63
FRAME = (1 << 52) - PAGE
TOP = 1 << 64

Entry = collections.namedtuple("Entry", "level raw allowed pfn")


# ---- the kernel's own words ----

@lib.once
def symbols():
    """Addresses by name, of the kernel and not of modules."""
    found = {}
    for line in lib.read("/proc/kallsyms").splitlines():
        address, _, name, *module = line.split()
        if not module:
            found.setdefault(name, int(address, 16))
    expect(found.get("_text"), "/proc/kallsyms has no addresses")
    return found


@lib.once
def segments():
    """(address, size, place in the file) of what /proc/kcore has."""
    data = os.pread(kcore().file.fileno(), 64, 0)
    offset, = struct.unpack_from("Q", data, 32)
    size, count = struct.unpack_from("HH", data, 54)
    table = os.pread(kcore().file.fileno(), size * count, offset)
    found = []
    for at in range(0, size * count, size):
        kind, _, where, address, _, length = struct.unpack_from(
            "IIQQQQ", table, at)
        if kind == 1:
            found.append((address, length, where))
    return found


def memory_at(address, size):
    """What stands at an address of the kernel."""
    for start, length, where in segments():
        if start <= address and address + size <= start + length:
            return os.pread(kcore().file.fileno(), size,
                            where + address - start)
    raise lib.Failure(f"/proc/kcore has no {address:#x}")


def variable(name):
    return struct.unpack("Q", memory_at(symbols()[name], 8))[0]


def physical(address):
    """A whole page."""
    for start, length, where in kcore().segments:
        if start <= address < start + length:
            return os.pread(kcore().file.fileno(), PAGE,
                            where + address - start)
    raise lib.Failure(f"/proc/kcore has no memory at {address:#x}")


def canonical(va):
    return va | -(1 << shift(levels()[0]) + 9) % TOP


def first_address():
    return canonical(1 << shift(levels()[0]) + 8)


# ---- the page table, read from memory ----

def walk_table(found, data, depth, base, raws):
    level = levels()[depth]
    size = 1 << shift(level)
    for index, raw in enumerate(array.array("Q", data)):
        # the lower half of the top table is the process's
        if not raw or (not depth and index < 256):
            continue
        va = canonical(base + index * size)
        path = raws + [raw]
        if raw & PRESENT and level != "pte" and (
                level in ("pgd", "p4d") or not raw & LARGE):
            walk_table(found, physical(raw & FRAME), depth + 1, va, path)
            continue
        frame = FRAME & ~(size - 1)
        if raw & PRESENT:
            found[va] = Entry(level, raw & ~(frame | ACCESSED | DIRTY),
                              frozenset(test_vtop.allowed(path)),
                              (raw & frame) // PAGE)
        else:
            # without P the PFN is inverted, all bits of it
            found[va] = Entry(level, raw & ~(FRAME | ACCESSED | DIRTY),
                              None, None)


def kernels_entries(user=False):
    """Every entry that isn't empty, by address."""
    found = {}
    data = memory_at(symbols()["init_top_pgt"] + user * PAGE, PAGE)
    walk_table(found, data, 0, 0, [])
    return found


# ---- the page table, as it is shown ----

def kmap(*arguments):
    document = lib.observe("kmap", *arguments)
    for region in document["regions"]:
        for key in ("start", "end"):
            if key in region:
                region[key] = int(region[key], 16)
        for run in region["runs"]:
            run["va"], run["raw"] = int(run["va"], 16), int(run["raw"], 16)
    return document


def runs_of(document):
    return [run for region in document["regions"] for run in region["runs"]]


def regions_of(document):
    return {region["name"]: region for region in document["regions"]}


def our_entries(document):
    """Every entry by address; the PFN where it's told."""
    found = {}
    for run in runs_of(document):
        size = 1 << shift(run["level"])
        same(run["size"], run["count"] * size, f"size at {run['va']:#x}")
        allowed = None
        if run["state"] == "present":
            allowed = frozenset(run["effective"])
        else:
            same(run["state"], "other", f"state at {run['va']:#x}")
        for i in range(run["count"]):
            pfn = None
            if allowed is not None and (run["consecutive"] or not i):
                pfn = run["pfn"] + i * size // PAGE
            va = run["va"] + i * size
            expect(va not in found, f"{va:#x} is told twice")
            found[va] = Entry(run["level"], run["raw"], allowed, pfn)
    return found


EFF = (("user", 1 << 19), ("rw", 1 << 20), ("nx", 1 << 21))


def entries_of(runs):
    """Every entry of the module's records."""
    found = {}
    for run in runs:
        size, state = 1 << shift(run.level), run.flags & 15
        allowed = None
        if state == 2:
            allowed = frozenset(name for name, bit in EFF if run.flags & bit)
        else:
            same(state, 15, f"state at {run.va:#x}")
        for i in range(run.count):
            pfn = None
            if allowed is not None and (run.consecutive or not i):
                pfn = run.value + i * size // PAGE
            va = run.va + i * size
            expect(va not in found, f"{va:#x} is told twice")
            found[va] = Entry(run.level, run.raw, allowed, pfn)
    return found


def check_entries(ours, before, after):
    """All that didn't change between the kernel's two looks is as we saw it."""
    changed = 0
    for va in sorted(before.keys() | after.keys() | ours.keys()):
        was, got = before.get(va), ours.get(va)
        if was != after.get(va):
            changed += 1
            continue
        if got is None or was is None or got.pfn is None:
            same(got and got[:3], was and was[:3], f"{va:#x}")
        else:
            same(got, was, f"{va:#x}")
    expect(changed <= 64 + len(before) // 20,
           f"{changed} of {len(before)} entries changed")
    return len(ours) - changed


def check_runs(document, entries):
    """A run ends where its neighbour differs, and says what PFNs do."""
    last = None
    for region in document["regions"]:
        for run in region["runs"]:
            size = 1 << shift(run["level"])
            if "start" in region:
                expect(region["start"] <= run["va"] and
                       run["va"] + run["size"] <= region["end"],
                       f"{run['va']:#x} isn't in {region['name']}")
            if last and last["va"] + last["size"] == run["va"]:
                expect((last["level"], last["raw"], last.get("effective")) !=
                       (run["level"], run["raw"], run.get("effective")),
                       f"{run['va']:#x} is like what is before it")
            pfns = [entries.get(run["va"] + i * size)
                    for i in range(run["count"])]
            if run["state"] == "present" and all(pfns):
                follows = all(entry.pfn == pfns[0].pfn + i * size // PAGE
                              for i, entry in enumerate(pfns))
                same(run["consecutive"], follows,
                     f"consecutive at {run['va']:#x}")
            last = run
        last = None


def steady(document):
    """Without vmalloc, where each process has its stack: the reader, too."""
    return [region for region in document["regions"]
            if region["name"] != "vmalloc"]


def compare(user=False):
    """By this process, which maps nothing more of the kernel's meanwhile."""
    with records.held():
        before = kernels_entries(user)
        _, runs = records.kmap(user)
        after = kernels_entries(user)
    return check_entries(entries_of(runs), before, after)


@settles
def compare_shown(user=False):
    """The reader's runs: merged, and in their regions."""
    before = kernels_entries(user)
    document = kmap(*["--user"][:user])
    document["regions"] = steady(document)
    ours = our_entries(document)
    check_runs(document, before)
    area = regions_of(kmap())["vmalloc"]
    expected = {va: entry for va, entry in before.items()
                if not area["start"] <= va < area["end"]}
    check_entries(ours, expected, {
        va: entry for va, entry in kernels_entries(user).items()
        if not area["start"] <= va < area["end"]})
    return document


@test()
def kmap_is_what_memory_holds():
    """Each entry of each region."""
    machine.quiet()
    entries = settles(compare)()
    expect(entries > 1000, f"only {entries} entries")
    same(lib.observe("info")["levels"], len(levels()), "levels")
    lib.note(f"{entries} entries, {len(levels())} levels")


@test()
def kmap_shows_what_memory_holds():
    machine.quiet()
    document = compare_shown()
    same(document["half"], "kernel", "half")
    used = {name for name, region in regions_of(document).items()
            if region["runs"]}
    expect({"direct_map", "vmemmap", "cpu_entry_area", "kernel_text",
            "modules", "fixmap"} <= used, f"only {used}")


@test()
def kmap_text_and_json_say_the_same():
    machine.quiet()

    @settles
    def once():
        text = lib.observer_ok("kmap", "--all").decode()
        lines = re.findall(
            r"^0x([0-9a-f]{16})-0x([0-9a-f]{16}) +\S+ (\S+) +(\S{4}) "
            r"(\S+)", text, re.M)
        document = kmap()
        area = regions_of(document)["vmalloc"]
        ours = [(run["va"], run["va"] + run["size"] - 1, run["level"],
                 run["state"]) for region in steady(document)
                for run in region["runs"]]
        shown = [(int(start, 16), int(end, 16), level, state)
                 for start, end, level, _, state in lines
                 if not area["start"] <= int(start, 16) < area["end"]]
        same(len(shown), len(ours), "lines")
        for line, run in zip(shown, ours):
            same(line, run, "line")
    once()


@test()
def kmap_of_a_range_is_a_part_of_all():
    machine.quiet()

    @settles
    def once():
        whole = our_entries(kmap())
        region = regions_of(kmap())["kernel_text"]
        run = region["runs"][len(region["runs"]) // 2]
        start, end = run["va"], run["va"] + run["size"]
        part = our_entries(kmap(f"{start:#x}-{end:#x}"))
        same({va: e[:3] for va, e in part.items()},
             {va: e[:3] for va, e in whole.items() if start <= va < end},
             "a part")
        only = kmap("-r", "kernel_text")["regions"]
        same([r["name"] for r in only], ["kernel_text"], "region")
        same(len(only[0]["runs"]), len(region["runs"]), "runs of the region")
    once()


# ---- where things are ----

@test()
def kmap_regions_are_the_running_layouts():
    """The variables that KASLR sets, and symbols of the image."""
    regions = regions_of(kmap())
    for name, base in (("direct_map", "page_offset_base"),
                       ("vmalloc", "vmalloc_base"),
                       ("vmemmap", "vmemmap_base")):
        same(hex(regions[name]["start"]), hex(variable(base)), name)
    image = regions["kernel_text"]
    for name in "_text", "_etext", "_end", "init_top_pgt":
        expect(image["start"] <= symbols()[name] < image["end"], name)
    last = first_address()
    for region in regions.values():
        if "start" not in region:
            continue
        expect(last <= region["start"] < region["end"] < TOP,
               f"{region['name']}: {region['start']:#x}, {last:#x} before")
        last = region["end"]
    if symbols()["_text"] != 0xffffffff81000000:
        lib.note("KASLR has moved the kernel")


def iomem():
    """(start, end) in physical memory, by name."""
    return {name: (int(start, 16), int(end, 16) + 1)
            for start, end, name in re.findall(
                r"^ *([0-9a-f]+)-([0-9a-f]+) : (Kernel .*)",
                lib.read("/proc/iomem"), re.M)}


@test()
def kmap_of_the_image_is_iomems():
    """Text is executable and read-only, rodata neither, data writable."""
    entries = our_entries(kmap("-r", "kernel_text"))
    parts = iomem()
    base = symbols()["_text"] - parts["Kernel code"][0]
    for name, allowed in (("Kernel code", set()), ("Kernel rodata", {"nx"}),
                          ("Kernel data", {"rw", "nx"}),
                          ("Kernel bss", {"rw", "nx"})):
        start, end = parts[name]
        for at in range(start & -PAGE, end, PAGE):
            va = at + base
            entry = entries.get(va) or entries.get(va & -(2 << 20))
            expect(entry and entry.allowed is not None,
                   f"{name}: {va:#x} isn't mapped")
            # The kernel protects the table of interrupts.
            if va == symbols().get("idt_table"):
                same(set(entry.allowed), {"nx"}, f"idt_table: {va:#x}")
            else:
                same(set(entry.allowed), allowed, f"{name}: {va:#x}")
            size = 1 << shift(entry.level)
            if entry.pfn is not None:
                same(entry.pfn * PAGE + (va & size - 1), at,
                     f"{name}: memory at {va:#x}")


def covering(entries):
    """The entry that maps an address, or None."""
    def find(va):
        for level in ("pte", "pmd", "pud"):
            entry = entries.get(va & -(1 << shift(level)))
            if entry and entry.level == level and entry.allowed is not None:
                return entry
        return None
    return find


def sections(module):
    """Addresses by name."""
    path = f"/sys/module/{module}/sections"
    return {name: int(lib.read(f"{path}/{name}"), 16)
            for name in os.listdir(path)}


@test()
def kmap_of_modules_is_proc_modules():
    document = kmap()
    region = regions_of(document)["modules"]
    find = covering(our_entries(document))
    seen = 0
    for line in lib.read("/proc/modules").splitlines():
        name, address = line.split()[0], int(line.split()[5], 16)
        expect(region["start"] <= address < region["end"],
               f"{name}: {address:#x} isn't in the region")
        expect(find(address), f"{name}: {address:#x} isn't mapped")
        found = sections(name)
        for section, allowed in ((".text", set()), (".rodata", {"nx"}),
                                 (".data", {"rw", "nx"})):
            if section in found:
                entry = find(found[section])
                expect(entry, f"{section} of {name} isn't mapped")
                same(set(entry.allowed), allowed, f"{section} of {name}")
                seen += 1
    expect(seen, "no module")


def areas():
    """(start, end, text) of vmallocinfo."""
    lib.write("/proc/sys/kernel/kptr_restrict", 1)
    return [(int(start, 16), int(end, 16), text) for start, end, text in
            re.findall(r"^0x([0-9a-f]+)-0x([0-9a-f]+) +(\d+ .*)$",
                       lib.read("/proc/vmallocinfo"), re.M)]


def mapped_bytes(area):
    """How many are mapped for certain from its start; None: not known."""
    start, end, text = area
    pages = re.search(r"\bpages=(\d+)", text)
    if "unpurged" in text or "vm_map_ram" in text:
        return None
    if " ioremap" in text:
        return end - start - PAGE    # the guard page
    return int(pages.group(1)) * PAGE if pages else None


@test()
def kmap_of_vmalloc_is_vmallocinfos():
    machine.quiet()

    @settles
    def once():
        before = areas()
        document = kmap()
        after = set(areas())
        region = regions_of(document)["vmalloc"]
        find = covering(our_entries(document))
        seen = 0
        for area in before:
            size = mapped_bytes(area)
            if (area not in after or not size or
                    not region["start"] <= area[0] < region["end"]):
                continue
            for va in range(area[0], area[0] + size, PAGE):
                expect(find(va), f"{va:#x} of {area} isn't mapped")
            # huge pages may be more than was asked for
            if find(area[1] - PAGE) and "vmap" not in area[2]:
                expect(find(area[1] - PAGE).level == "pmd",
                       f"the guard page of {area} is mapped")
            seen += 1
        expect(seen >= 10, f"only {seen} areas")
        for run in region["runs"]:
            expect(any(start < run["va"] + run["size"] and run["va"] < end
                       for start, end, _ in before + sorted(after)),
                   f"{run['va']:#x} is in no area")
    once()


# ---- sums ----

def direct_map_counters():
    """Leaves by level, as the kernel counts them."""
    text = lib.read("/proc/meminfo")
    found = {}
    for name, level, size in (("4k", "pte", 4), ("2M", "pmd", 2 << 10),
                              ("1G", "pud", 1 << 20)):
        match = re.search(rf"^DirectMap{name}: +(\d+) kB", text, re.M)
        found[level] = int(match.group(1)) // size if match else 0
    return found


@test()
def kmap_direct_map_is_meminfos():
    """The kernel counts tables that it splits of its image, too."""
    machine.quiet()
    counted = direct_map_counters()
    total = int(re.search(r"^MemTotal: +(\d+)", lib.read("/proc/meminfo"),
                          re.M).group(1))
    known = (counted["pte"] * 4 + counted["pmd"] * 2048 +
             (counted["pud"] << 20))
    if known > total + (1 << 20):
        raise Skip(f"the kernel's counters make {known} kB of {total} kB")

    @settles
    def once():
        before = direct_map_counters()
        regions = regions_of(kmap())
        same(direct_map_counters(), before, "the kernel's counters changed")
        # Pages of memfd_secret() count, though they aren't present there.
        ours = collections.Counter()
        for run in regions["direct_map"]["runs"]:
            ours[run["level"]] += run["count"]
        split = kernel_tables()
        same({"pte": ours["pte"] + 512 * split,
              "pmd": ours["pmd"] - split, "pud": ours["pud"]}, before,
             "leaves of the direct map")
    once()


def kernel_tables():
    """PTE tables of the image: each was a leaf of 2 MiB before."""
    entries = our_entries(kmap("-r", "kernel_text"))
    return len({va >> 21 for va, entry in entries.items()
                if entry.level == "pte"})


@test()
def kmap_counts_its_lines():
    document = kmap()
    total = collections.Counter()
    for region in document["regions"]:
        leaves = collections.Counter()
        for run in region["runs"]:
            if run["state"] == "present":
                leaves[run["level"]] += run["count"]
                leaves["wx"] += run["wx"] * run["count"]
        for key, value in region["leaves"].items():
            same(value, leaves[key], f"{region['name']}: {key}")
        total += leaves
    for key, value in document["leaves"].items():
        same(value, total[key], f"total: {key}")


@test()
def kmap_finds_no_wx_where_the_kernel_finds_none():
    log = lib.run("dmesg").stdout.decode(errors="replace")
    if "Checked W+X mappings: passed" not in log:
        raise Skip("the kernel hasn't checked")
    document = kmap()
    for run in runs_of(document):
        wx = (run["state"] == "present" and "rw" in run["effective"] and
              "nx" not in run["effective"])
        same(run["wx"], wx, f"W+X at {run['va']:#x}")
    same(document["leaves"]["wx"], 0, "W+X")
    same(runs_of(kmap("--wx")), [], "kmap --wx")


# ---- one address ----

def kernels_path(va, user=False):
    """(table's PFN or None, index, raw) from the top, as memory has it."""
    data = memory_at(symbols()["init_top_pgt"] + user * PAGE, PAGE)
    path, table = [], None
    for level in levels():
        index = va >> shift(level) & 511
        raw = array.array("Q", data)[index]
        path.append((table, index, raw))
        if not raw & PRESENT or level == "pte" or (
                level in ("pmd", "pud") and raw & LARGE):
            break
        table = (raw & FRAME) // PAGE
        data = physical(raw & FRAME)
    return path


def check_translation(translation, user=False):
    va = int(translation["va"], 16)
    path = kernels_path(va, user)
    steps = translation["levels"]
    same([s["level"] for s in steps], levels()[:len(path)], f"{va:#x}: levels")
    for step, (table, index, raw) in zip(steps, path):
        where = f"{va:#x}: {step['level']}"
        same(step["index"], index, f"{where}: index")
        # The processor marks entries that it uses.
        same(int(step["raw"], 16) & ~(ACCESSED | DIRTY),
             raw & ~(ACCESSED | DIRTY), f"{where}: raw")
        if table is not None:
            same(step["table_pfn"], table, f"{where}: table")
    raws = [raw for _, _, raw in path]
    if not raws[-1] & PRESENT:
        expect("phys" not in translation, f"{va:#x} is mapped")
        return False
    size = 1 << shift(steps[-1]["level"])
    same(int(translation["phys"], 16),
         (raws[-1] & FRAME & ~(size - 1)) + (va & size - 1), f"{va:#x}: phys")
    same(translation["page_size"], size, f"{va:#x}: size")
    effective = {name for name, value in translation["effective"].items()
                 if value}
    same(effective, test_vtop.allowed(raws), f"{va:#x}: effective")
    return True


def check_addresses(addresses, user=False):
    mapped = 0
    option = ["--user"][:user]
    for at in range(0, len(addresses), 100):
        document = lib.observe("vtop", "-k", *option, *(
            f"{va:#x}" for va in addresses[at:at + 100]))
        same(document["kernel"], True, "kernel")
        mapped += sum(check_translation(t, user)
                      for t in document["addresses"])
    return mapped


def ends_of_runs(document):
    addresses = set()
    for region in document["regions"]:
        for run in region["runs"][:60]:
            addresses |= {run["va"] + 0x123, run["va"] + run["size"] - 8,
                          (run["va"] + run["size"]) % TOP}
    return sorted(va for va in addresses if va)


@test()
def vtop_of_the_kernel_is_what_memory_holds():
    machine.quiet()

    @settles
    def once():
        addresses = ends_of_runs(kmap())
        addresses += [first_address(), TOP - 1, symbols()["_text"]]
        mapped = check_addresses(addresses)
        expect(mapped > 100, f"only {mapped} of {len(addresses)}")
    once()


@test()
def vtop_of_the_kernel_refuses_others():
    for address in "0", "7fffffffe000", f"{first_address() - 1:x}":
        done = lib.mmlens("vtop", "-k", address)
        same(done.returncode, 2, f"status of {address}")
        expect(b"below the kernel's range" in done.stderr, done.stderr)


# ---- page-table isolation ----

@test()
def kmap_of_user_mode():
    """What is left of the kernel when a process runs."""
    if not test_vtop.isolated():
        for command in ["kmap", "--user"], ["vtop", "-k", "--user",
                                            f"{first_address():x}"]:
            done = lib.mmlens(*command)
            same(done.returncode, 1, f"status of {command}")
            expect(b"isolation is off" in done.stderr, done.stderr)
        raise Skip("page-table isolation is off (pti=on)")
    machine.quiet()
    entries = settles(lambda: compare(user=True))()
    document = compare_shown(True)
    same(document["half"], "user", "half")
    used = {name for name, region in regions_of(document).items()
            if region["runs"]}
    expect({"cpu_entry_area", "kernel_text"} <= used, f"only {used}")
    expect(used <= {"cpu_entry_area", "kernel_text", "direct_map", "espfix",
                    "ldt_remap", "fixmap", "vsyscall"}, f"{used}")
    find = covering(our_entries(document))
    expect(not find(symbols()["init_top_pgt"]), "the kernel's data is mapped")
    entry = find(symbols()["__entry_text_start"])
    expect(entry and "rw" not in entry.allowed and "nx" not in entry.allowed,
           f"entry text: {entry}")
    settles(lambda: check_addresses(ends_of_runs(document), user=True))()
    lib.note(f"{entries} entries")


# ---- while it changes ----

def loadable():
    """A module that isn't loaded and has no hardware."""
    for name in "dummy", "loop", "zram", "tun", "brd", "xor", "libcrc32c":
        if not os.path.isdir(f"/sys/module/{name}") and not lib.run(
                "modprobe", "-n", name).returncode:
            return name
    return None


@test()
def kmap_walks_while_it_changes():
    """Modules come and go, and stacks of processes: no walk fails or tells
    an address twice."""
    module = loadable()
    with lib.quiet_kernel():
        load = subprocess.Popen(
            ["stress-ng", "--quiet", "--fork", "2", "--clone", "1",
             "--timeout", "30"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        lib.at_end(load.kill)
        until, walks, restarts = time.monotonic() + 15, 0, 0
        while time.monotonic() < until:
            if module:
                lib.run("modprobe", *["-r"][:walks % 2], module)
            document = kmap()
            our_entries(document)
            restarts += document["walk"]["restarts"]
            same(document["leaves"]["wx"], 0, "W+X")
            walks += 1
        load.terminate()
        load.wait()
        if module:
            lib.run("modprobe", "-r", module)
    expect(walks > 1, f"{walks} walks")
    lib.note(f"{walks} walks, {restarts} restarts, module {module}")
