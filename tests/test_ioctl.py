# SPDX-License-Identifier: GPL-2.0-only
"""The ioctls without the library; the cases are those of bin/ioctl."""
import os
import subprocess

import lib
from lib import Skip, expect, test


def cases():
    path = os.path.join(lib.BIN, "ioctl")
    if not os.access(path, os.X_OK):
        return ["(not built)"]
    return lib.run(path, "--list").stdout.decode().split()


class Results:
    """What comes of each case, told as they end: one after the other."""

    def __init__(self):
        self.process = lib.until_end(lib.process(
            lib.program("ioctl"), "--run", stdout=subprocess.PIPE))
        self.found = {}

    def of(self, case):
        """Its result, why, and what it saw; None if it said nothing."""
        notes = []
        while case not in self.found:
            line = self.process.stdout.readline().decode(errors="replace")
            if not line:
                return None
            if line.startswith("# "):
                notes.append(line[2:].rstrip("\n"))
                continue
            result, name, *why = line.rstrip("\n").split(" ", 2)
            self.found[name] = result, "".join(why), notes
            notes = []
        return self.found[case]


results = lib.once(Results)


@test(*cases())
def ioctl(case):
    told = results().of(case)
    expect(told, "it said nothing")
    result, why, notes = told
    if result == "skip":
        raise Skip(why)
    expect(result == "ok", why)
    for text in notes:
        lib.note(text)
