# SPDX-License-Identifier: GPL-2.0-only
"""The ioctls without the library; the cases are those of bin/ioctl."""
import os

import lib
from lib import Skip, expect, test


def cases():
    path = os.path.join(lib.BIN, "ioctl")
    if not os.access(path, os.X_OK):
        return ["(not built)"]
    return lib.run(path, "--list").stdout.decode().split()


@lib.once
def results():
    """What came of each case: its result, why, and what it saw."""
    done = lib.run(lib.program("ioctl"), "--run", timeout=220 * lib.PATIENCE)
    results, notes = {}, []
    for line in done.stdout.decode(errors="replace").splitlines():
        if line.startswith("# "):
            notes.append(line[2:])
            continue
        result, name, *why = line.split(" ", 2)
        results[name] = result, "".join(why), notes
        notes = []
    return results


@test(*cases())
def ioctl(case):
    expect(case in results(), "it said nothing")
    result, why, notes = results()[case]
    if result == "skip":
        raise Skip(why)
    expect(result == "ok", why)
    for text in notes:
        lib.note(text)
