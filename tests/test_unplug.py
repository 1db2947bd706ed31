# SPDX-License-Identifier: GPL-2.0-only
"""Memory that is added, taken offline and removed, and ZONE_MOVABLE: needs a
machine with a memory module more (scripts/vm --dimm)."""
import glob
import os
import re
import threading
import time

import lib
import machine
import records
from lib import PAGE, expect, same, test
from test_ledger import by_zone, ledger, zoneinfo
from test_zones import settles_soon

MEMORY = "/sys/devices/system/memory"
MODULES = "/sys/bus/acpi/devices/PNP0C80:*"


def module_blocks():
    """Paths of the memory blocks of the module, in order of address."""
    if not glob.glob(MODULES):
        raise lib.Skip("no memory module that was added (scripts/vm --dimm)")
    found = {os.path.realpath(path)
             for path in glob.glob(f"{MODULES}/physical_node*")}
    return sorted(found, key=lambda path: int(path.rpartition("memory")[2]))


def online(path):
    return lib.read(f"{path}/state").strip() == "online"


def take_offline(path):
    """A page that is held for a moment keeps it from that; on older kernels
    some aren't moved at all."""
    until = time.monotonic() + 30
    while not lib.try_write(f"{path}/state", "offline"):
        if time.monotonic() > until:
            raise lib.Skip(f"the kernel doesn't take {path} offline")
        lib.try_write("/proc/sys/vm/drop_caches", "3")
        time.sleep(0.5)


def frames_of(path):
    size = int(lib.read(f"{MEMORY}/block_size_bytes"), 16) // PAGE
    start = int(lib.read(f"{path}/phys_index"), 16) * size
    return start, start + size


def told(start, end):
    return sum(run.count for run in records.pages(start, end))


def check_sums():
    def once():
        kernels = zoneinfo()
        for key, zone in by_zone(ledger()).items():
            same(zone["sum"], kernels[key]["present"], f"{key}: in buckets")
            same(zone["untold"], [], f"{key}: untold")
    settles_soon(once)


@test()
def hotplug_movable_zone_is_shown():
    machine.quiet()
    module_blocks()
    zones = {zone["zone"] for node in lib.observe("zones")["nodes"]
             for zone in node["zones"] if zone["present"]}
    expect("Movable" in zones, f"zones {sorted(zones)}")
    kernels = sum(zone["present"] for (_, name), zone in zoneinfo().items()
                  if name == "Movable")
    same(sum(zone["present"] for zone in ledger() if zone["zone"] == "Movable"),
         kernels, "present in ZONE_MOVABLE")
    check_sums()


@test()
def hotplug_block_that_is_offline_has_no_page():
    machine.quiet()
    block = module_blocks()[-1]
    start, end = frames_of(block)
    same(told(start, end), end - start, "pages while it is online")
    take_offline(block)
    try:
        same(told(start, end), 0, "pages while it is offline")
        done = lib.mmlens("pfn", f"{start:#x}")
        same(done.returncode, 1, "status of pfn")
        check_sums()
    finally:
        lib.write(f"{block}/state", "online_movable")
    same(told(start, end), end - start, "pages once it is online again")
    check_sums()


@test()
def hotplug_walks_while_blocks_go_and_come():
    machine.quiet()
    blocks = module_blocks()[-2:]
    stop, turns = threading.Event(), []

    def toggle():
        while not stop.is_set():
            for block in blocks:
                for state in "offline", "online_movable":
                    lib.try_write(f"{block}/state", state)
            turns.append(1)

    thread = threading.Thread(target=toggle)
    thread.start()
    until, walks = time.monotonic() + 20, 0
    try:
        while time.monotonic() < until:
            zones = {(node["node"], zone["index"]): zone
                     for node in records.zones() for zone in node["zones_of"]}
            for free in records.free_lists():
                expect((free.node, free.zone) in zones, f"{free[:5]}")
            for run in records.pages():
                expect(run.count and run.node < 64, f"{run}")
            list(records.pageblocks())
            lib.observer_ok("ledger")
            walks += 1
    finally:
        stop.set()
        thread.join()
        for block in blocks:
            lib.try_write(f"{block}/state", "online_movable")
    expect(turns and walks, f"{len(turns)} turns, {walks} walks")
    lib.note(f"{len(turns)} turns of {len(blocks)} blocks, {walks} walks")
    check_sums()


@test()
def hotplug_module_that_is_ejected_is_gone():
    """The last of these tests: it doesn't come back."""
    machine.quiet()
    blocks = module_blocks()
    frames = [frames_of(block) for block in blocks]
    modules = glob.glob(MODULES)
    for block in blocks:
        if online(block):
            take_offline(block)
    for module in modules:
        lib.write(f"{module}/eject", "1")
    until = time.monotonic() + 30
    while any(map(os.path.exists, blocks)) and time.monotonic() < until:
        time.sleep(0.2)
    same([path for path in blocks if os.path.exists(path)], [],
         "blocks that are still there")
    for start, end in frames:
        same(told(start, end), 0, f"pages of {start:#x}")
    check_sums()
    same(lib.observe("zones")["walk"]["truncated"], False, "truncated")
