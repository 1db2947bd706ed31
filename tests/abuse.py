# SPDX-License-Identifier: GPL-2.0-only
"""What is common to tests that abuse the module: what must be as before."""
import contextlib
import os
import re
import subprocess
import time

import lib
from lib import expect, note

MIB = 1 << 20
KMEMLEAK = "/sys/kernel/debug/kmemleak"


def number(name, default):
    """From the environment: how long, how often."""
    return int(os.environ.get(name, str(default)), 0)


def program_says(name, *arguments, timeout):
    """Status and lines of a program of the tests that may run for long."""
    command = [lib.program(name), *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    return done.returncode, done.stdout.decode(errors="replace").splitlines()


# ---- memory ----

def free_memory():
    """Bytes that are free with nothing cached, and those of slabs that can't
    be reclaimed."""
    os.sync()
    lib.write("/proc/sys/vm/drop_caches", 3)
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB", lib.read("/proc/meminfo"),
                            re.M))
    return int(found["MemAvailable"]) << 10, int(found["SUnreclaim"]) << 10


def kept_by_module():
    """Areas of vmalloc() that the module's code took and hasn't given back."""
    return [line for line in lib.read("/proc/vmallocinfo").splitlines()
            if re.search(r" mml_\w+\+", line)]


def users():
    """How many have a file of the module open."""
    for line in lib.read("/proc/modules").splitlines():
        if line.startswith("mmlens "):
            return int(line.split()[2])
    return 0


def leaks():
    """What kmemleak has found, or None where the kernel doesn't look."""
    # A look of its own takes time before it believes in a leak.
    for _ in range(2):
        if not lib.try_write(KMEMLEAK, "scan"):
            return None
        time.sleep(6)
    return lib.read(KMEMLEAK)


def kept_by_instruments():
    """Bytes: KASAN keeps what was freed, up to a 32nd of memory, and each new
    stack of who took or freed some stays."""
    if not os.path.exists(KMEMLEAK):
        return 0
    return os.sysconf("SC_PHYS_PAGES") * lib.PAGE // 16


# ---- the kernel's log ----

@contextlib.contextmanager
def quiet_console():
    """While inside, warnings and less don't come to the console; they are in
    the log all the same."""
    levels = lib.read("/proc/sys/kernel/printk")
    path = "/sys/module/printk/parameters/ignore_loglevel"
    ignored = lib.read(path).strip()
    lib.write(path, "N")
    lib.write("/proc/sys/kernel/printk", "4")
    try:
        yield
    finally:
        lib.write("/proc/sys/kernel/printk", levels)
        lib.write(path, ignored)


# These have a trace behind them which is no complaint.
TRACED = re.compile("invoked oom-killer|vmalloc error|allocation failure")


def complaints_since(mark):
    """Without the traces of who lacked memory, which is meant here."""
    found, traced = [], False
    for line in lib.kernel_log_since(mark):
        traced |= bool(TRACED.search(line))
        if lib.COMPLAINT.search(line):
            if traced and "Call Trace:" in line:
                traced = False
            else:
                found.append(line)
    return found


@contextlib.contextmanager
def nothing_left(slack=24 * MIB):
    """When the block ends the kernel hasn't complained, nobody has the module
    open, memory is back, nothing leaked, and the module goes and comes."""
    slack += kept_by_instruments()
    lib.try_write(KMEMLEAK, "clear")
    mark = lib.kernel_log_mark()
    available, slabs = free_memory()
    yield
    lib.wait_until(lambda: not users(), "somebody has the module open")
    lib.same(kept_by_module(), [], "what the module hasn't given back")
    lib.wait_until(lambda: free_memory()[0] > available - slack,
                   f"memory isn't back: {available >> 20} MiB before, "
                   f"{free_memory()[0] >> 20} MiB now", 4)
    now, slabs_now = free_memory()
    note(f"{available >> 20} MiB available before, {now >> 20} after; "
         f"slabs {slabs >> 10} KiB, {slabs_now >> 10} after")
    found = leaks()
    expect(not found, f"kmemleak: {(found or '')[:2000]}")
    bad = complaints_since(mark)
    expect(not bad, "the kernel says " + "\n".join(bad[:5]))
    with lib.without_module():
        pass
