# SPDX-License-Identifier: GPL-2.0-only
"""The module comes and goes cleanly."""
import os

import lib
import machine
from lib import expect, same, test

DEBUGFS = "/sys/kernel/debug/mmlens"


@test()
def module_is_the_one_for_this_kernel():
    vermagic = lib.run("modinfo", "-F", "vermagic", lib.module_path()).stdout
    same(vermagic.split()[0].decode(), os.uname().release, "vermagic")
    licence = lib.run("modinfo", "-F", "license", lib.module_path()).stdout
    same(licence.strip(), b"GPL", "licence")
    # out of tree, unsigned where signatures aren't forced, but no worse
    taints = set(lib.read("/sys/module/mmlens/taint").strip())
    same(taints - set("OE"), set(), "taints")


@test("device", "pte", "maps", "version", "target", "stats")
def module_in_use_stays(name):
    """rmmod is refused while a file of the module is open."""
    path = lib.DEVICE if name == "device" else f"{DEBUGFS}/{name}"
    descriptor = os.open(path, os.O_RDONLY)
    try:
        done = lib.unload_module()
        expect(done.returncode, "rmmod with an open descriptor")
        expect(b"in use" in done.stderr or b"busy" in done.stderr,
               f"rmmod says {done.stderr}")
        lib.require_module()
        same(lib.mmlens("info").returncode, 0, "status while it is refused")
    finally:
        os.close(descriptor)


@test()
def module_goes_and_comes_back():
    """All that it made is gone with it, and back with it."""
    for _ in range(3):
        with lib.without_module():
            expect(not os.path.exists(lib.DEVICE), "the device is left")
            expect(not os.path.exists(DEBUGFS), "debugfs files are left")
            expect("mmlens" not in lib.read("/proc/modules"),
                   "it is still loaded")
            expect("mmlens" not in lib.read("/proc/misc"),
                   "its number is still taken")
        lib.mmlens_ok("pte", machine.shell())


@test()
def module_only_once():
    done = lib.run("insmod", lib.module_path())
    expect(done.returncode and b"exists" in done.stderr,
           f"a second time: {done.stderr}")
    lib.require_module()


@test()
def module_says_nothing_of_its_own():
    """Loading, use and unloading are silent in the kernel's log."""
    mark = lib.kernel_log_mark()
    with lib.without_module():
        pass
    lib.mmlens_ok("pte", machine.shell())
    said = [line for line in lib.kernel_log_since(mark) if
            "mmlens:" in line and "taint" not in line and
            "verification failed" not in line]
    same(said, [], "messages")
