# SPDX-License-Identifier: GPL-2.0-only
"""Memory cgroups (version 2) of the tests."""
import contextlib
import os
import re
import signal
import time

import lib
from lib import Skip, expect

ROOT = "/sys/fs/cgroup"


def require():
    """Skips where memory cgroups can't be had."""
    path = f"{ROOT}/cgroup.controllers"
    if not os.path.exists(path) or "memory" not in lib.read(path).split():
        raise Skip("no memory controller in cgroup v2")
    lib.write(f"{ROOT}/cgroup.subtree_control", "+memory")


def are_off():
    """Is there no memory cgroup at all?"""
    path = f"{ROOT}/cgroup.controllers"
    return not (os.path.exists(path) and "memory" in lib.read(path).split() or
                re.search(r"^memory\t.*\t1$", lib.read("/proc/cgroups"), re.M))


class Group:
    """A memory cgroup of the tests' own."""

    def __init__(self, name):
        require()
        self.path = f"{ROOT}/{name}"
        os.mkdir(self.path)

    @classmethod
    def at(cls, path):
        """One that is there."""
        found = cls.__new__(cls)
        found.path = path
        return found

    @property
    def ino(self):
        return os.stat(self.path).st_ino

    def read(self, name):
        return lib.read(f"{self.path}/{name}")

    def write(self, name, text):
        lib.write(f"{self.path}/{name}", text)

    def has(self, name):
        return os.path.exists(f"{self.path}/{name}")

    def current(self):
        return int(self.read("memory.current"))

    def enter(self, pid):
        self.write("cgroup.procs", str(pid))

    def processes(self):
        return [int(pid) for pid in self.read("cgroup.procs").split()]

    def reclaim(self, size):
        """As much as the kernel takes of @size bytes; it may be less."""
        if self.has("memory.reclaim"):
            lib.try_write(f"{self.path}/memory.reclaim", str(size))
            return
        self.write("memory.high", str(max(self.current() - size, 0)))
        self.write("memory.high", "max")

    def remove(self):
        expect(not self.processes(), f"{self.path} has processes")
        os.rmdir(self.path)


@contextlib.contextmanager
def group(name):
    made = Group(name)
    try:
        yield made
    finally:
        for pid in made.processes():
            lib.write(f"{ROOT}/cgroup.procs", str(pid))
        made.remove()


def remove(path):
    """Whoever is in it ends."""
    def gone():
        try:
            empty(path)
            os.rmdir(path)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True
    lib.wait_until(gone, f"{path} isn't empty")


@contextlib.contextmanager
def memcg(name, **settings):
    """Its path; memory_high=... is what is written to memory.high."""
    require()
    path = f"{ROOT}/{name}"
    os.mkdir(path)
    try:
        for key, value in settings.items():
            lib.write(f"{path}/{key.replace('_', '.', 1)}", value)
        yield path
    finally:
        remove(path)


def join(path):
    lib.write(f"{path}/cgroup.procs", os.getpid())


def empty(path):
    """Kills whoever is in it."""
    for pid in lib.read(f"{path}/cgroup.procs").split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def dying():
    """Memcgs that were removed, and whose pages are still there."""
    for line in lib.read(f"{ROOT}/cgroup.stat").splitlines():
        if line.startswith("nr_dying_descendants "):
            return int(line.split()[1])
    raise lib.Failure("no nr_dying_descendants")


def stat(path):
    """memory.stat, when what CPUs keep of it has come together."""
    time.sleep(0.1)
    return {key: int(value) for key, value in
            map(str.split, lib.read(f"{path}/memory.stat").splitlines())}


@contextlib.contextmanager
def version_1():
    """While inside, memory is controlled by a hierarchy of version 1."""
    control = f"{ROOT}/cgroup.subtree_control"
    if os.path.exists(control) and "memory" in lib.read(control).split():
        lib.write(control, "-memory")
    place = os.path.join(lib.directory(), "cgroup-v1")
    os.makedirs(place, exist_ok=True)
    # What is left of removed groups keeps the controller where it is.
    lib.write("/proc/sys/vm/drop_caches", "3")
    for _ in range(100):
        tried = lib.run("mount", "-t", "cgroup", "-o", "memory", "memory",
                        place)
        if not tried.returncode:
            break
        if b"busy" not in tried.stderr:
            raise Skip("no memory controller for version 1")
        time.sleep(0.1)
    else:
        raise Skip("the memory controller stays with version 2")
    try:
        yield place
    finally:
        lib.run("umount", place)


GENERATIONS = "/sys/kernel/mm/lru_gen/enabled"


def generations():
    """Does the kernel keep generations now?"""
    return os.path.exists(GENERATIONS) and \
        int(lib.read(GENERATIONS), 16) & 1 == 1


@contextlib.contextmanager
def lists_of(kind):
    """While inside, the kernel keeps "classic" lists or "generations".  What
    other tests have read isn't on them: to look at it takes minutes."""
    wanted = kind == "generations"
    if wanted and not os.path.exists(GENERATIONS):
        raise Skip("no generations in this kernel")
    os.sync()
    lib.write("/proc/sys/vm/drop_caches", "1")
    if not os.path.exists(GENERATIONS):
        yield
        return
    before = lib.read(GENERATIONS).strip()
    lib.write(GENERATIONS, "7" if wanted else "0")
    try:
        yield
    finally:
        lib.write(GENERATIONS, before)
