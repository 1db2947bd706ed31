# SPDX-License-Identifier: GPL-2.0-only
"""The ioctls without the library; the cases are those of bin/ioctl."""
import os

import lib
from lib import Failure, Skip, test

SKIPPED = 77


def cases():
    path = os.path.join(lib.BIN, "ioctl")
    if not os.access(path, os.X_OK):
        return ["(not built)"]
    return lib.run(path, "--list").stdout.decode().split()


def run_case(name, case):
    done = lib.run(lib.program(name), case, timeout=200)
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode == SKIPPED:
        raise Skip(said)
    if done.returncode:
        raise Failure(said or f"status {done.returncode}")
    if said:
        lib.note(said)


@test(*cases())
def ioctl(case):
    run_case("ioctl", case)


@test()
def ioctl_of_32_bit_caller():
    """All of them from a 32-bit program: the structures are the same."""
    if not os.path.exists(os.path.join(lib.BIN, "ioctl32")):
        raise Skip("no compiler for 32-bit programs when the tests were built")
    if lib.run(lib.program("ioctl32"), "--list").returncode:
        raise Skip("this kernel runs no 32-bit programs")
    for case in cases():
        try:
            run_case("ioctl32", case)
        except Failure as failure:
            raise Failure(f"{case}: {failure}")
