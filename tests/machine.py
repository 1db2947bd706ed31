# SPDX-License-Identifier: GPL-2.0-only
"""Prepares the machine, and the processes that the tests look at."""
import contextlib
import glob
import mmap
import os
import pwd
import signal
import socket
import struct
import subprocess
import threading

import lib
import pagemap
from lib import expect, read_number, try_write, write

MM = "/sys/kernel/mm"
THP = f"{MM}/transparent_hugepage"
HUGETLB = "/sys/kernel/mm/hugepages/hugepages-2048kB"
HUGETLB_PAGES = 26


MADV_COLD = 20


@lib.once
def quiet():
    """Nothing moves or merges pages on its own account."""
    settings = {
        f"{THP}/enabled": "madvise",
        f"{THP}/shmem_enabled": "advise",
        f"{THP}/hugepages-64kB/enabled": "madvise",
        f"{THP}/khugepaged/scan_sleep_millisecs": "3600000",
        f"{MM}/ksm/run": "0",
        "/proc/sys/kernel/numa_balancing": "0",
        # Clears accessed bits to see which are set again.
        "/sys/module/damon_stat/parameters/enabled": "N",
        "/proc/sys/vm/compaction_proactiveness": "0",
        "/proc/sys/vm/dirty_expire_centisecs": "360000",
    }
    for path, value in settings.items():
        try_write(path, value)


@contextlib.contextmanager
def short_cpu_lists():
    """Free pages go back to the buddy allocator: a CPU may keep a tenth of a
    zone else."""
    paths = [path for path in ("/proc/sys/vm/percpu_pagelist_high_fraction",
                               "/proc/sys/vm/percpu_pagelist_fraction")
             if os.path.exists(path)]
    write(paths[0], "1000000")
    try:
        yield
    finally:
        write(paths[0], "0")


def drain():
    """Pages that CPUs keep until there are some come to their LRU lists."""
    everywhere = os.sched_getaffinity(0)
    for cpu in everywhere:
        os.sched_setaffinity(0, {cpu})
        with mmap.mmap(-1, mmap.PAGESIZE) as area:
            area.madvise(MADV_COLD)
    os.sched_setaffinity(0, everywhere)


def _swap_device(number):
    """A zram device, or else a file."""
    lib.run("modprobe", "zram", f"num_devices={number + 1}")
    device = f"/dev/zram{number}"
    if os.path.exists(device):
        write(f"/sys/block/zram{number}/disksize", "128M")
        lib.at_end(try_write, f"/sys/block/zram{number}/reset", "1")
        return device
    path = os.path.join(lib.directory(), f"swap{number}")
    with open(path, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 128 << 20)
    os.chmod(path, 0o600)
    return path


@lib.once
def swap():
    """Two devices; the kernel fills the second, whose type isn't zero."""
    for number in 0, 1:
        device = _swap_device(number)
        for command in (["mkswap", device],
                        ["swapon", "-p", str(number), device]):
            done = lib.run(*command)
            lib.same(done.returncode, 0,
                     f"{command}: {done.stderr.decode()}")
        lib.at_end(lib.run, "swapoff", device)


@lib.once
def hugetlb():
    write(f"{HUGETLB}/nr_hugepages", HUGETLB_PAGES)
    lib.at_end(try_write, f"{HUGETLB}/nr_hugepages", 0)
    expect(read_number(f"{HUGETLB}/free_hugepages") >= HUGETLB_PAGES,
           "no memory for hugetlb pages")


@contextlib.contextmanager
def ksm():
    for name, value in (("sleep_millisecs", 20), ("pages_to_scan", 10000),
                        ("run", 1)):
        try_write(f"{MM}/ksm/{name}", value)
    try:
        yield
    finally:
        try_write(f"{MM}/ksm/run", 0)


class Workload:
    """The workload, stopped: its regions by name, and what it lacks."""

    def __init__(self, *arguments, stopped=True):
        self.regions = {}
        self.missing = {}
        self.process = subprocess.Popen(
            [lib.program("workload"), *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE)
        self.pid = self.process.pid
        lib.at_end(self.end)
        for line in self.process.stdout:
            word, *rest = line.decode().split()
            if word == "ready":
                break
            if word == "region":
                name, start, end = rest
                self.regions.setdefault(name, []).append(
                    (int(start, 16), int(end, 16)))
            else:
                self.missing[rest[0]] = " ".join(rest[1:])
        else:
            raise lib.Failure("the workload came to its end: status "
                              f"{self.process.wait()}")
        if stopped:
            lib.stop(self.pid)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@lib.once
def workload():
    """Every kind of page-table entry, in one process that stands still."""
    quiet()
    swap()
    hugetlb()
    with ksm():
        work = Workload("kinds", lib.directory())
    work.places, work.events = places_of(work), events()
    return work


@lib.once
def entries_of_workload():
    """They don't change: what it looked like once holds for as long as it
    stands still."""
    return pagemap.entries_of(workload().pid)


# ---- that it stands still ----

# Where each page is, and that it is: not who else maps it, or what was written.
PLACE = (7 << 61) | ((1 << 55) - 1)

# More than any part of it that is filled.
LARGE = 256 << 20

# Without these nothing happens to pages of a process that is stopped.
EVENTS = ("pgsteal", "pgmigrate_success", "pswp", "thp_split",
          "thp_collapse", "drop_pagecache")


def places_of(work):
    """What pagemap says of all that it has filled."""
    ranges = [(vma.start, vma.end) for vma in pagemap.maps(work.pid)
              if "w" in vma.perms]
    for parts in work.regions.values():
        ranges += parts
    found = []
    with open(f"/proc/{work.pid}/pagemap", "rb", buffering=0) as file:
        for start, end in ranges:
            if end - start > LARGE:
                continue
            data = os.pread(file.fileno(), (end - start) // lib.PAGE * 8,
                            start // lib.PAGE * 8)
            found.append([word & PLACE for word, in
                          struct.iter_unpack("Q", data)])
    return found


def events():
    return [line for line in lib.read("/proc/vmstat").splitlines()
            if line.startswith(EVENTS)]


def stands_still(work):
    if work.process.poll() is not None:
        return False
    before, work.events = work.events, events()
    return before == work.events or places_of(work) == work.places


def still():
    """Before a test: when others had memory taken from the workload, or moved
    or split, there is a new one."""
    if not workload.kept or workload.kept[0][1]:
        return
    work = workload()
    if not stands_still(work):
        lib.note("pages of the workload were moved or taken: a new one")
        work.end()
        workload.kept.clear()
        entries_of_workload.kept.clear()


# ---- processes that aren't ours ----

REDIS_PORT = 7399
REDIS_VALUES = 40000


def _redis_connection():
    """A connection to the server once it answers, or None."""
    try:
        connection = socket.create_connection(("127.0.0.1", REDIS_PORT), 60)
        connection.sendall(b"PING\r\n")
        if connection.recv(64) == b"+PONG\r\n":
            return connection
        connection.close()
    except OSError:
        pass
    return None


def _redis_load(connection):
    """Values of many sizes, sent until the other side reads no more."""
    with contextlib.suppress(OSError):
        for i in range(REDIS_VALUES):
            value = b"x" * (i % 700)
            connection.sendall(b"SET key:%d %s\r\nLPUSH list:%d %d\r\n" %
                               (i, value or b"-", i % 50, i))


@lib.once
def redis():
    """redis under load, stopped in the middle of it."""
    quiet()
    server = lib.until_end(lib.process(
        "redis-server", "--port", str(REDIS_PORT), "--save", "",
        cwd=lib.directory()))
    connection = lib.until_end(lib.wait_until(
        _redis_connection, "redis doesn't answer", 60))
    idle = resident(server.pid)
    threading.Thread(target=_redis_load, args=(connection,),
                     daemon=True).start()
    lib.wait_until(lambda: resident(server.pid) > idle + (2 << 20),
                   "redis gets no load", 60)
    lib.stop(server.pid)
    return server.pid


def resident(pid):
    """Bytes in memory."""
    return int(lib.read(f"/proc/{pid}/statm").split()[1]) * lib.PAGE


@lib.once
def shell():
    """A shell that waits for a line and has a child."""
    quiet()
    script = "a=$(seq 1000); sleep 1000 & echo ready; read line"
    child = lib.until_end(lib.process(
        "bash", "-c", script, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    lib.same(child.stdout.readline(), b"ready\n", "the shell says")
    sleeper, = children(child.pid)
    lib.at_end(os.kill, sleeper, signal.SIGKILL)
    lib.wait_until(lambda: lib.read(f"/proc/{sleeper}/comm") == "sleep\n",
                   "the shell's child executes nothing")
    lib.stop(child.pid)
    return child.pid


def children(pid):
    """The processes that it forked and that still run."""
    path = f"/proc/{pid}/task/{pid}/children"
    return [int(word) for word in lib.read(path).split()
            if lib.process_state(word) != "Z"]


PROGRAM = """
import decimal, json, threading
import numpy
matrix = numpy.ones((1024, 1024))
product = float((matrix[:64, :64] @ matrix[:64, :64]).sum())
keep = [bytes([i % 256]) * i for i in range(3000)]
for i in range(3):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""


@lib.once
def python():
    """A program with numpy, threads, memory of many sizes, and libraries."""
    quiet()
    child = lib.until_end(lib.process("python3", "-c", PROGRAM,
                                      stdout=subprocess.PIPE))
    lib.same(child.stdout.readline(), b"ready\n", "python says")
    lib.stop(child.pid)
    return child.pid


# ---- PostgreSQL ----

CLUSTERS = "/var/lib/postgresql"
SOCKETS = "/run/postgresql"
BACKENDS = 3
SETTINGS = {
    "shared_buffers": "32MB", "huge_pages": "off", "listen_addresses": "",
    "unix_socket_directories": SOCKETS, "max_connections": "10",
    "autovacuum": "off", "ssl": "off", "fsync": "off",
    "logging_collector": "off", "jit": "off",
}
# A table of its own for each, and one for all of them.
SESSION = """\\set QUIET on
set statement_timeout = 0;
create temp table t as select g, md5(g::text) from generate_series(1,4000) g;
create index on t (g);
select count(*) from t a join t b using (g);
insert into everybody select g, md5(g::text) from generate_series(1,2000) g;
select count(*) from everybody;
\\echo ready
"""


def _as_postgres():
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [],
            "cwd": "/"}


def _psql(*arguments):
    """Not what is on PATH: a wrapper in Perl that looks for this."""
    program, = glob.glob("/usr/lib/postgresql/*/bin/psql")
    return [program, "-X", "-q", "-A", "-t", "-h", SOCKETS, "-d", "postgres",
            *arguments]


def _start_postgres():
    """The cluster that Debian's package makes when it is installed."""
    found = glob.glob(f"{CLUSTERS}/*/main")
    expect(found, f"no cluster in {CLUSTERS}")
    version = os.path.basename(os.path.dirname(found[0]))
    os.makedirs(SOCKETS, exist_ok=True)
    user = pwd.getpwnam("postgres")
    os.chown(SOCKETS, user.pw_uid, user.pw_gid)
    log = open(os.path.join(lib.directory(), "postgres.log"), "wb")
    lib.at_end(log.close)
    server = lib.until_end(lib.process(
        f"/usr/lib/postgresql/{version}/bin/postgres", "-D", found[0], "-c",
        f"config_file=/etc/postgresql/{version}/main/postgresql.conf",
        *(word for name, value in SETTINGS.items()
          for word in ("-c", f"{name}={value}")),
        stdout=log, stderr=log, **_as_postgres()))
    return server


def _postgres_answers(server):
    if server.poll() is not None:
        raise lib.Failure("postgres ended: " + lib.read(os.path.join(
            lib.directory(), "postgres.log"))[-1000:])
    done = lib.run(*_psql("-c", "select 1"), **_as_postgres())
    return done.stdout == b"1\n"


def _session():
    """A client that keeps its connection; its work is done."""
    client = lib.until_end(lib.process(
        *_psql(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        **_as_postgres()))
    client.stdin.write(SESSION.encode())
    client.stdin.flush()
    for line in client.stdout:
        if line == b"ready\n":
            return
    raise lib.Failure(f"psql ended: status {client.wait()}")


def _kill_all(pids):
    """A stopped child doesn't notice the end of its parent."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@lib.once
def _postgres():
    """The server and the processes of its sessions; all stand still."""
    quiet()
    server = _start_postgres()
    lib.wait_until(lambda: _postgres_answers(server),
                   "postgres doesn't answer", 60)
    done = lib.run(*_psql("-c", "drop table if exists everybody; "
                          "create table everybody (g int, m text)"),
                   **_as_postgres())
    lib.same(done.returncode, 0, f"psql: {done.stderr.decode()}")
    for _ in range(BACKENDS):
        _session()
    lib.stop(server.pid)
    workers = children(server.pid)
    lib.at_end(_kill_all, workers)
    for worker in workers:
        lib.stop(worker)
    backends = [pid for pid in workers if b"idle" in
                lib.read(f"/proc/{pid}/cmdline", "rb")]
    expect(len(backends) >= BACKENDS, f"{len(backends)} sessions")
    return server.pid, backends


def postgres():
    return _postgres()[0]


def postgres_session():
    return _postgres()[1][0]


# ---- what is made for one question ----

def init():
    quiet()
    return 1


def pid_of_workload():
    return workload().pid


VMAS = 5000


@lib.once
def vmas():
    """Thousands of VMAs."""
    quiet()
    return Workload("vmas", str(VMAS)).pid


@lib.once
def policies():
    """Memory policies of every kind."""
    quiet()
    hugetlb()
    return Workload("policies", lib.directory()).pid


# The PID of each; all but init stand still.
TARGETS = {"init": init, "shell": shell, "redis": redis, "python": python,
           "postgres": postgres, "session": postgres_session, "vmas": vmas,
           "policies": policies, "workload": pid_of_workload}
# Those that are small, for what takes long for each page.
SMALL_TARGETS = ("init", "shell", "session", "workload")
