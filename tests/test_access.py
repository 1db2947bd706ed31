# SPDX-License-Identifier: GPL-2.0-only
"""What keeps the doors closed: lockdown, namespaces, the modes of files."""
import fcntl
import os

import lib
import records
from lib import expect, read, same, test, write

LOCKDOWN = "/sys/kernel/security/lockdown"
DEBUGFS = "/sys/kernel/debug/mmlens"
FOR_WRITERS = {"target", "maps", "smaps", "pte", "tables"}

# MMLENS_INFO, whose structure was so large in the first version.
INFO, SIZE = records.request(0), 160


@test()
def access_modes_of_files():
    """Nobody but root may even open what is in debugfs."""
    names = set(os.listdir(DEBUGFS))
    expect(names > FOR_WRITERS, f"{names}")
    for name in sorted(names):
        st = os.stat(f"{DEBUGFS}/{name}")
        same((oct(st.st_mode & 0o7777), st.st_uid, st.st_gid),
             ("0o600" if name in FOR_WRITERS else "0o400", 0, 0), name)
    st = os.stat(DEBUGFS)
    same((st.st_uid, st.st_gid, st.st_mode & 0o022), (0, 0, 0), DEBUGFS)


@test()
def access_descriptor_after_exec():
    """A descriptor that a program without rights is started with."""
    fd = os.open(lib.DEVICE, os.O_RDONLY)
    try:
        code = ("import fcntl, sys\n"
                "try:\n"
                f"    fcntl.ioctl({fd}, {INFO}, bytes({SIZE}))\n"
                "except OSError as error:\n"
                "    sys.exit(error.errno)\n")
        done = lib.in_nobody("python3", "-c", code, pass_fds=(fd,))
        same((done.returncode, done.stderr), (1, b""), "status (EPERM is 1)")
    finally:
        os.close(fd)


# ---- lockdown; it can't be undone, so these run where they're asked for ----

def _lock(level):
    """Lock the kernel down, if the command line hasn't."""
    expect(os.path.exists(LOCKDOWN), "this kernel has no lockdown")
    if f"[{level}]" not in read(LOCKDOWN):
        write(LOCKDOWN, level)
    expect(f"[{level}]" in read(LOCKDOWN), f"it isn't locked down: {level}")


def _info(fd):
    return fcntl.ioctl(fd, INFO, SIZE.to_bytes(4, "little") + bytes(SIZE - 4))


@lib.once
def _opened():
    """The device and the files, opened before anything is locked down."""
    descriptor = os.open(lib.DEVICE, os.O_RDONLY)
    expect(_info(descriptor), "nothing before")
    return descriptor, {name: open(f"{DEBUGFS}/{name}", "rb")
                        for name in os.listdir(DEBUGFS)}


def _refused(what, look):
    try:
        got = look()
    except PermissionError:
        return
    raise lib.Failure(f"{what} isn't refused: {lib.short(got)}")


@test(asked_for=True)
def lockdown_integrity_answers():
    """mmlens changes nothing, so root may read; so it is with /proc/kcore.
    Of debugfs the kernel itself then opens only what nobody may write to."""
    descriptor, files = _opened()
    _lock("integrity")
    expect(_info(descriptor), "nothing of a descriptor opened before")
    expect(files["version"].read(), "nothing of a file opened before")
    for name in files:
        if name in FOR_WRITERS:
            _refused(name, lambda: open(f"{DEBUGFS}/{name}", "rb"))
        else:
            expect(read(f"{DEBUGFS}/{name}"), f"nothing of {name}")
    with open("/proc/kcore", "rb") as file:
        same(file.read(4), b"\x7fELF", "/proc/kcore")
    pid = str(os.getpid())
    expect(lib.mmlens_ok("pte", pid), "nothing of the device")
    expect(lib.mmlens_ok("kmap"), "nothing of the kernel's page table")


@test(asked_for=True)
def lockdown_confidentiality_refuses():
    """Whoever has opened it before, too."""
    descriptor, files = _opened()
    _lock("confidentiality")
    _refused("/proc/kcore", lambda: open("/proc/kcore", "rb"))
    _refused("open", lambda: os.open(lib.DEVICE, os.O_RDONLY))
    _refused("a call", lambda: _info(descriptor))
    for name, file in files.items():
        _refused(f"{name}, opened before", file.read)
        _refused(name, lambda: open(f"{DEBUGFS}/{name}", "rb"))
    done = lib.mmlens("pte", os.getpid())
    same((done.returncode, done.stdout), (1, b""), "mmlens pte")
    expect(b"Operation not permitted" in done.stderr, f"{done.stderr}")
