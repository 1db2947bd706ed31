# SPDX-License-Identifier: GPL-2.0-only
"""What the reader says when something is wrong, and its exit status."""
import contextlib
import os
import re
import subprocess

import lib
import machine
import pagemap
from lib import PAGE, expect, same, test

OK, FAILED, USAGE, MISSING = 0, 1, 2, 42
FILES = ("smaps", "smaps_rollup", "numa_maps")
COMMANDS = ("maps", *FILES, "pmap", "pte", "tables", "folios", "ps", "vtop",
            "info")


def refused(arguments, status, *words, **options):
    """The status, a message with the words, and nothing on the output."""
    done = lib.mmlens(*arguments, **options)
    said = done.stderr.decode()
    same(done.returncode, status, f"status of {arguments} ({said.strip()})")
    same(done.stdout, b"", f"output of {arguments}")
    expect(said.startswith("mmlens"), f"{said!r} doesn't name the program")
    for word in words:
        expect(word in said, f"{said!r} doesn't say {word!r}")
    return said


def of_one_process(pid, address="1000"):
    """Each command that looks at a process."""
    return [("maps", pid), ("pmap", "-x", pid), ("pte", pid),
            ("pte", "--each", "--json", pid), ("vtop", pid, address),
            ("pte", "--pages", pid), ("tables", pid), ("folios", pid),
            *((file, pid) for file in FILES)]


@test()
def cli_no_such_process():
    pid = lib.free_pid()
    for command in of_one_process(pid):
        if command[0] != "pmap":    # begins its output, as procps does
            refused(command, MISSING, str(pid), "no such process")
        same(lib.mmlens(*command).returncode, MISSING, f"{command}: status")


@test()
def cli_kernel_thread():
    pid = lib.kernel_thread()
    for command in of_one_process(pid):
        if command[0] not in ("pmap", "maps"):
            refused(command, FAILED, str(pid), "kernel thread")


@test()
def bench_without_such_a_job():
    """Not a table without rows."""
    done = lib.run(os.path.join(lib.BIN, "bench"), "no such job")
    same(done.returncode, USAGE, "status")
    expect(b"worst wait" in done.stderr, f"doesn't list the jobs: {done}")


@test("maps", "pmap")
def cli_kernel_thread_as_the_original(command):
    """Where there is an original, its output; the error says why."""
    pid = lib.kernel_thread()
    done = lib.mmlens(command, pid)
    expect(b"kernel thread" in done.stderr, f"says {done.stderr}")
    same(done.returncode, FAILED, "status")


@test()
def cli_zombie():
    with lib.zombie() as pid:
        for command in of_one_process(pid):
            done = lib.mmlens(*command)
            expect(b"zombie" in done.stderr, f"{command}: {done.stderr}")
            same(done.returncode, FAILED, f"{command}: status")


@test("1001-3000", "1000-3001", "3000-1000", "1000-ffffffffffffffff",
      "ffff888000000000", "ffff888000000000-ffff888000001000", "x", "1000-",
      "-1000", "0x", "1000-2000-3000", "1000,2000", "", "10000000000000000")
def cli_bad_range(text):
    refused(["pte", machine.shell(), "--", text], USAGE)


@test()
def cli_bad_address():
    pid = machine.shell()
    for text in ("x", "", "-1", "0x", "10000000000000000"):
        refused(["vtop", pid, "--", text], USAGE, "address")
    refused(["vtop", pid, "ffff888000000000"], USAGE, "user range")


@test()
def cli_usage():
    pid = machine.shell()
    for command in COMMANDS:
        refused([command, "--no-such-option", pid], USAGE,
                "--no-such-option")
    refused(["pte", "-Z", pid], USAGE)
    for command in set(COMMANDS) - {"ps", "info"}:
        refused([command], USAGE)
    refused(["vtop", "12x", "1000"], USAGE, "12x")
    for text in ("0", "-1", "x", "", "99999999999"):
        refused(["pte", "--", text], USAGE)
    refused(["no-such-command"], USAGE, "no-such-command")
    refused(["maps", pid, pid], USAGE, "too many")
    refused(["pte", pid, "1000", "2000"], USAGE, "too many")
    done = lib.mmlens()
    same((done.returncode, done.stdout), (USAGE, b""), "without arguments")
    expect(b"Usage" in done.stderr, "no usage without arguments")


@test(needs_module=False)
def cli_help_and_version():
    """Neither needs the module or root."""
    for arguments in (["--version"], ["-h"], *([c, "-h"] for c in COMMANDS)):
        done = lib.in_nobody("mmlens", *arguments)
        same((done.returncode, done.stderr), (OK, b""), f"{arguments}")
        expect(done.stdout, f"{arguments} says nothing")
    helped = lib.mmlens("-h").stdout.decode()
    for command in COMMANDS:
        expect(f"  {command} " in helped, f"no {command} in the help")
    expect(lib.mmlens("--version").stdout.startswith(b"mmlens "), "version")


@test()
def cli_unprivileged():
    """A user without rights is told what to do."""
    for command in of_one_process(os.getpid()):
        done = lib.in_nobody("mmlens", *map(str, command))
        said = done.stderr.decode()
        same((done.returncode, done.stdout), (FAILED, b""), f"{command}")
        expect("/dev/mmlens: Permission denied" in said and "sudo" in said,
               f"{command} says {said!r}")


@test()
def cli_user_namespace():
    """So is root of a user namespace."""
    done = lib.run("unshare", "-Ur", "mmlens", "pte", str(os.getpid()))
    same((done.returncode, done.stdout), (FAILED, b""), "status")
    expect(b"/dev/mmlens" in done.stderr and b"namespace" in done.stderr,
           f"says {done.stderr}")


@test(*sorted(set(COMMANDS) - {"vtop"}))
def cli_full_disk(command):
    """Output that can't be written isn't lost silently."""
    arguments = [] if command in ("info", "ps") else [str(machine.shell())]
    with open("/dev/full", "wb") as full:
        done = lib.mmlens(command, *arguments, stdout=full)
    same(done.returncode, FAILED, "status")
    expect(b"No space left" in done.stderr, f"says {done.stderr}")


@test()
def cli_text_and_json_have_the_same_entries():
    pid = machine.shell()
    lines = lib.mmlens_ok("pte", "--each", pid).decode().splitlines()
    entries = lib.observe("pte", pid, "--each")["entries"]
    lines = [line for line in lines if line[:1] in "0123456789abcdef"]
    same([int(line.split()[0], 16) for line in lines],
         [int(entry["va"], 16) for entry in entries], "addresses")
    for line, entry in zip(lines, entries):
        expect(f" {entry['level']} " in line and entry["state"] in line and
               entry["raw"][2:] in line, f"{line!r} isn't {entry}")


@test()
def cli_names_a_vma():
    """--vma walks the mappings of that name."""
    pid = machine.shell()
    # What lies before the break may bear the name too.
    heap = [v for v in pagemap.maps(pid) if v.name == b"[heap]"]
    entries = lib.observe("pte", pid, "--each", "--vma", "[heap]")["entries"]
    expect(entries, "no entries in the heap")
    expect(all(heap[0].start <= int(e["va"], 16) < heap[-1].end
               for e in entries),
           "an entry outside of the heap")
    refused(["pte", pid, "--vma", "no such"], FAILED, "no such")


# ---- another version of the module ----

def preloaded(which, *arguments):
    environment = dict(os.environ, MMLENS_TEST=which,
                       LD_PRELOAD=lib.program("preload.so"))
    return lib.mmlens(*arguments, env=environment)


@test("maps", "smaps_rollup", "numa_maps", "pmap", "pte", "vtop", "tables")
def cli_newer_module(command):
    """What a later module adds is skipped, and all else shown as ever."""
    pid = machine.shell()
    # What else maps a file's page shows in its entry: look at the stack.  In
    # smaps_rollup it shows in the numbers.
    arguments = {"pmap": ["-x", pid], "vtop": [pid, "1000"],
                 "pte": [pid, "--vma", "[stack]"]}.get(command, [pid])
    want = lib.mmlens_ok(command, *arguments)
    done = preloaded("newer", command, *arguments)
    same((done.returncode, done.stderr), (OK, b""), "status")
    if command == "smaps_rollup":
        # A number of one more digit takes one space less.
        want, got = (re.sub(rb" *\d+ kB", b" N kB", text)
                     for text in (want, done.stdout))
        same(got, want, "fields")
        return
    same(done.stdout, want, "output")


@test("older", "fewer", "other")
def cli_older_module(which):
    """A module that can't answer: what to do is said."""
    pid = machine.shell()
    for command in of_one_process(pid)[1:]:
        done = preloaded(which, *command)
        same((done.returncode, done.stdout), (FAILED, b""),
             f"{command}: {done.stderr}")
        expect(b"module" in done.stderr and b"version" in done.stderr,
               f"{command} says {done.stderr}")


# ---- memory, and a target that goes away ----

def peak_memory(*arguments):
    """Peak RSS in KiB of the reader, and bytes of output."""
    child = subprocess.Popen(["mmlens", *map(str, arguments)],
                             stdout=subprocess.PIPE)
    size = 0
    while True:
        data = child.stdout.read(1 << 20)
        if not data:
            break
        size += len(data)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    child.stdout.close()
    same(status, 0, f"status of {arguments}")
    return usage.ru_maxrss, size


BULK = 1 << 28


@contextlib.contextmanager
def bulk():
    """256 MiB in pages of 4 KiB, which other tests needn't look at."""
    workload = machine.Workload("bulk", str(BULK))
    try:
        yield workload
    finally:
        workload.end()


@test("text", "json")
def cli_memory_does_not_grow(view):
    """4 MiB of pages, or 256 MiB: the reader needs the same memory."""
    with bulk() as workload:
        check_memory_of(view, workload)


def check_memory_of(view, workload):
    start, end = workload.regions["bulk"][0]
    options = ["--json"] if view == "json" else []
    # JSON of all would take a minute here.
    end = end if view == "text" else start + BULK // 8
    small, few = peak_memory("pte", "--each", *options, workload.pid,
                             f"{start:x}-{start + (4 << 20):x}")
    large, many = peak_memory("pte", "--each", *options, workload.pid,
                              f"{start:x}-{end:x}")
    expect(many > few * (end - start) / (4 << 20) * 0.9,
           f"{many} bytes for the large range, {few} for the small")
    expect(large <= small + 512, f"{small} KiB for 4 MiB, {large} KiB for all")


@test()
def cli_target_exits_in_the_middle():
    """What was read is shown, then said that the rest is gone."""
    workload = machine.Workload("bulk", str(256 << 20))
    with lib.process("mmlens", "pte", "--each", str(workload.pid),
                     stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE) as reader:
        reader.stdout.read(PAGE)
        workload.end()
        _, said = reader.communicate(timeout=300)
        reader.stderr.close()
        same(reader.returncode, FAILED, "status")
    expect(b"exited" in said, f"says {said}")


# ---- without the module ----

@test()
def cli_without_the_module():
    """Each command names the device and the command that helps."""
    pid = machine.shell()
    with lib.without_module():
        for command in of_one_process(pid) + [("info",)]:
            refused(command, FAILED,
                    "/dev/mmlens: No such file or directory",
                    "is the module loaded? try: sudo modprobe mmlens")
    same(lib.mmlens("info").returncode, OK, "status once it is back")
