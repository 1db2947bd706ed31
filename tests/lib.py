# SPDX-License-Identifier: GPL-2.0-only
"""What every test uses: results, processes, files, the reader, the module."""
import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.join(HERE, "bin")
PAGE = 4096
DEVICE = "/dev/mmlens"


# ---- results ----

class Failure(Exception):
    """The test failed; says why."""


class Skip(Exception):
    """The test can't be run on this machine; says why."""


def expect(condition, why):
    if not condition:
        raise Failure(why)


def same(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: {short(got)} instead of {short(wanted)}")


def short(value):
    text = repr(value)
    return text if len(text) <= 2000 else f"{text[:2000]}..."


def note(text):
    """Something to know about a test that went well."""
    print(f"# {text}", flush=True)


def settles(function):
    """For a comparison of two looks: a third process may have mapped or
    unmapped a shared page in between, so that a difference counts when it
    comes three times."""
    def attempts(*arguments):
        for _ in range(2):
            try:
                return function(*arguments)
            except Failure:
                pass
        return function(*arguments)
    attempts.__name__ = function.__name__
    return attempts


class Test:
    def __init__(self, name, function, arguments, needs_module, asked_for):
        self.name = name
        self.function = function
        self.arguments = arguments
        self.needs_module = needs_module
        self.asked_for = asked_for


TESTS = []


def test(*cases, name=None, needs_module=True, asked_for=False):
    """Makes a function one test, or one for each of the given cases. One that
    is no good for those after it runs where it's asked for."""
    def register(function, name=name):
        name = name or function.__name__.replace("_", "-")
        if not cases:
            TESTS.append(Test(name, function, (), needs_module, asked_for))
        for case in cases:
            TESTS.append(Test(f"{name}:{case}", function, (case,),
                              needs_module, asked_for))
        return function
    return register


# ---- what has to be undone at the end of the run ----

_undo = contextlib.ExitStack()


def at_end(function, *arguments):
    _undo.callback(function, *arguments)


def until_end(context):
    """What the context manager gives; it ends with the run."""
    return _undo.enter_context(context)


def clean_up():
    _undo.close()


def once(function):
    """The function's result is kept, and so is its failure; both in .kept."""
    kept = []

    def call():
        if not kept:
            try:
                kept.append((function(), None))
            except Exception as error:
                kept.append((None, error))
        value, error = kept[0]
        if error:
            raise error
        return value
    call.kept = kept
    return call


# ---- files ----

def read(path, mode="r"):
    with open(path, mode) as file:
        return file.read()


def read_number(path):
    return int(read(path).split()[0])


def write(path, text):
    with open(path, "w") as file:
        file.write(str(text))


def try_write(path, text):
    """Write where the file is there and takes it: a setting not all have."""
    try:
        write(path, text)
        return True
    except OSError:
        return False


def program(name):
    path = os.path.join(BIN, name)
    expect(os.access(path, os.X_OK),
           f"{path} isn't built (make -C tests)")
    return path


@once
def kernel_release():
    """(6, 1) of 6.1.0-30-cloud-amd64."""
    return tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release)
                     .groups()))


@once
def directory():
    """A directory for the files of this run, on a disk."""
    path = tempfile.mkdtemp(prefix="mmlens-tests-", dir="/var/tmp")
    at_end(shutil.rmtree, path, True)
    return path


# ---- processes ----

def run(*command, **options):
    """Output and status of a command that must end within a minute."""
    options.setdefault("timeout", 120 * PATIENCE)
    if "stdout" not in options:
        options["stdout"] = subprocess.PIPE
    if "stderr" not in options:
        options["stderr"] = subprocess.PIPE
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(command, **options)


@contextlib.contextmanager
def process(*command, **options):
    """A process that runs until the block ends."""
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.DEVNULL)
    options.setdefault("stderr", subprocess.DEVNULL)
    child = subprocess.Popen(command, **options)
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream:
                stream.close()


def process_state(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0].decode()


# Emulation on a busy host takes its time, and so does a kernel with instruments:
# what never comes is told late.
PATIENCE = 30 if os.path.exists("/sys/kernel/debug/kmemleak") else 5


def wait_until(condition, why, seconds=30):
    """The condition's first true value."""
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        expect(time.monotonic() < end, f"waited {seconds} s: {why}")
        time.sleep(0.02)


def stop(pid):
    """Stop a process and all of its threads, and see that it did."""
    os.kill(pid, signal.SIGSTOP)
    for thread in os.listdir(f"/proc/{pid}/task"):
        wait_until(lambda: process_state(f"{pid}/task/{thread}") in "Tt",
                   f"thread {thread} doesn't stop")


def kernel_thread():
    """kthreadd: has no address space, and is always there."""
    return 2


def free_pid():
    """A number that no process has."""
    pid = read_number("/proc/sys/kernel/pid_max") - 1
    while os.path.exists(f"/proc/{pid}"):
        pid -= 1
    return pid


def in_nobody(*command, **options):
    """A command as a user without any right."""
    return run(*command, user=65534, group=65534, extra_groups=[], **options)


@contextlib.contextmanager
def zombie():
    child = os.fork()
    if not child:
        os._exit(0)
    wait_until(lambda: process_state(child) == "Z", "no zombie")
    try:
        yield child
    finally:
        os.waitpid(child, 0)


# ---- the module ----

def module_loaded():
    return os.path.isdir("/sys/module/mmlens")


def require_module():
    expect(module_loaded(), "the module isn't loaded")
    expect(os.path.exists(DEVICE), f"{DEVICE} isn't there")


@once
def module_path():
    """The file that the loaded module came from."""
    found = run("modinfo", "-n", "mmlens")
    places = [found.stdout.decode().strip(), "/mmlens/mmlens.ko",
              os.path.join(HERE, "..", "mmlens.ko")]
    for place in places:
        if os.path.isfile(place):
            return place
    raise Failure(f"no mmlens.ko in {places}")


def load_module():
    done = run("insmod", module_path())
    same(done.returncode, 0, f"insmod: {done.stderr.decode()}")
    wait_until(lambda: os.path.exists(DEVICE), f"{DEVICE} doesn't appear")


def unload_module():
    return run("rmmod", "mmlens")


@contextlib.contextmanager
def without_module():
    done = unload_module()
    same(done.returncode, 0, f"rmmod: {done.stderr.decode()}")
    try:
        yield
    finally:
        load_module()


# ---- the reader ----

def mmlens(*arguments, **options):
    """The reader as a user runs it."""
    return run("mmlens", *map(str, arguments), **options)


def mmlens_ok(*arguments, **options):
    done = mmlens(*arguments, **options)
    said = done.stderr.decode(errors="replace").strip()
    same(done.returncode, 0, f"mmlens {arguments}: status ({said})")
    return done.stdout


def _shared_objects(path):
    """Path of the loader and of each library."""
    lines = run("ldd", path).stdout.decode().splitlines()
    return [match.group(1) for match in
            (re.search(r"(/\S+) \(0x", line) for line in lines) if match]


def _copy_of(path, place):
    """A command line for a copy of the program and of its libraries."""
    os.mkdir(place)
    loader = None
    for source in [path] + _shared_objects(path):
        target = os.path.join(place, os.path.basename(source))
        shutil.copyfile(source, target)
        os.chmod(target, stat.S_IRWXU)
        if os.path.basename(source).startswith("ld-"):
            loader = target
    copy = os.path.join(place, os.path.basename(path))
    return [loader, "--library-path", place, copy] if loader else [copy]


_apart = {}


def apart(name):
    """A command line for a program that maps no file that others map.

    The reader maps libraries that the watched process maps, too. A page that
    only these two map would count as mapped twice while the reader looks, and
    as mapped once when pagemap is read. A copy has pages of its own.
    """
    if name not in _apart:
        path = shutil.which(name)
        expect(path, f"{name} isn't on PATH")
        if read(path, "rb")[:4] != b"\x7fELF":
            _apart[name] = [path]
        else:
            _apart[name] = _copy_of(
                path, os.path.join(directory(), f"apart-{name}"))
    return _apart[name]


def run_apart(name, *arguments, **options):
    # Locales are files that others map, too.
    return run(*apart(name), *map(str, arguments),
               env={**os.environ, "LC_ALL": "C"}, **options)


def observer_ok(*arguments, **options):
    """Output of the reader that shares no page with others."""
    done = run_apart("mmlens", *arguments, **options)
    said = done.stderr.decode(errors="replace").strip()
    same(done.returncode, 0, f"mmlens {arguments}: status ({said})")
    return done.stdout


def observe(*arguments):
    """JSON document of a command of the reader, from the observer."""
    return json.loads(observer_ok(*arguments, "--json"))


# ---- the kernel's log ----

COMPLAINT = re.compile(
    r"\bBUG\b|WARNING:|\bOops\b|[Cc]all [Tt]race:|[Uu]nable to handle|"
    r"general protection fault[:,]|Bad page|rss-counter|refcount_t:|"
    r"possible (circular|recursive)|inconsistent lock|(soft|hard) lockup|"
    r"INFO: .*\bstall|blocked for more than|scheduling while atomic|"
    r"suspicious RCU|non-static key|UBSAN: |"
    r"list_(add|del) corruption")


def kernel_log_mark():
    """A place in the log; it stands in a message of its own."""
    mark = f"mmlens-tests {time.monotonic_ns()}"
    # Without its end, a line isn't shown until there is another.
    write("/dev/kmsg", mark + "\n")
    return mark


def kernel_log_since(mark):
    lines = run("dmesg").stdout.decode(errors="replace").splitlines()
    for number, line in enumerate(lines):
        if mark in line:
            return lines[number + 1:]
    return lines


@contextlib.contextmanager
def oom_kill_expected():
    """The OOM killer says what it does with a call trace: not to the console,
    where that is a complaint."""
    level, always = ("/proc/sys/kernel/printk",
                     "/sys/module/printk/parameters/ignore_loglevel")
    before = read(level), read(always)
    mark = kernel_log_mark()
    write(level, "1")
    write(always, "N")
    try:
        yield
    finally:
        write(level, before[0])
        write(always, before[1])
    wrong = [line for line in kernel_log_since(mark)
             if COMPLAINT.search(line) and "Call Trace:" not in line]
    expect(not wrong, "the kernel says " + "\n".join(wrong[:5]))


@contextlib.contextmanager
def quiet_kernel():
    """The kernel complains of nothing inside of the block."""
    mark = kernel_log_mark()
    yield
    wrong = [line for line in kernel_log_since(mark) if COMPLAINT.search(line)]
    expect(not wrong, "the kernel says " + "\n".join(wrong[:5]))
