# SPDX-License-Identifier: GPL-2.0-only
"""The ioctls without the library; the cases are those of bin/ioctl."""
import os

import lib
from lib import Failure, Skip, expect, test


def cases():
    path = os.path.join(lib.BIN, "ioctl")
    if not os.access(path, os.X_OK):
        return ["(not built)"]
    return lib.run(path, "--list").stdout.decode().split()


def run_all(program):
    """What came of each case: its result, why, and what it saw."""
    done = lib.run(lib.program(program), "--run", timeout=1100)
    results, notes = {}, []
    for line in done.stdout.decode(errors="replace").splitlines():
        if line.startswith("# "):
            notes.append(line[2:])
            continue
        result, name, *why = line.split(" ", 2)
        results[name] = result, "".join(why), notes
        notes = []
    return results


@lib.once
def results():
    return run_all("ioctl")


@test(*cases())
def ioctl(case):
    expect(case in results(), "it said nothing")
    result, why, notes = results()[case]
    if result == "skip":
        raise Skip(why)
    expect(result == "ok", why)
    for text in notes:
        lib.note(text)


@test()
def ioctl_of_32_bit_caller():
    """All of them from a 32-bit program: the structures are the same."""
    if not os.path.exists(os.path.join(lib.BIN, "ioctl32")):
        raise Skip("no compiler for 32-bit programs when the tests were built")
    if lib.run(lib.program("ioctl32"), "--list").returncode:
        raise Skip("this kernel runs no 32-bit programs")
    found = run_all("ioctl32")
    for case in cases():
        result, why, _ = found.get(case, ("failed", "it said nothing", []))
        if result == "failed":
            raise Failure(f"{case}: {why}")
