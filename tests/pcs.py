#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which lines of the module addresses of code are: pcs.py <ADDRESSES

Reads addresses, one a line in hexadecimal, and prints for each the address, the
function, and file:line. Runs in the virtual machine of a debug kernel
(scripts/vm --kernel SERIES-debug), where the module has a copy with line
numbers in /usr/lib/debug.

From KCOV to a line:

- /sys/kernel/debug/kcov: ioctl(KCOV_INIT_TRACE, words), mmap() of that many
  words, ioctl(KCOV_ENABLE, KCOV_TRACE_PC). Each block of the module's code that
  the thread runs from then on is a word; the first word counts them and is set
  to 0 before a call. Nothing but the module is instrumented, so each word is
  the module's (Documentation/dev-tools/kcov.rst in the kernel's sources).
- A word is the address behind the call that recorded it, so the block is at one
  less; and it is less the distance that KASLR has moved the kernel, also where
  it is of a module.
- /sys/module/mmlens/sections/NAME says where each section of mmlens.ko was
  loaded. The rest is the offset in that section, which addr2line knows.
"""
import bisect
import collections
import os
import re
import subprocess
import sys

MODULE = "/sys/module/mmlens"
LINKED_AT = 0xffffffff81000000  # _text without KASLR

Line = collections.namedtuple("Line", "function file line")
Section = collections.namedtuple("Section", "start end name")


def debug_file():
    return (f"/usr/lib/debug/lib/modules/{os.uname().release}"
            "/updates/mmlens.ko")


def kaslr_offset():
    with open("/proc/kallsyms", encoding="ascii") as file:
        for line in file:
            address, _, name = line.split()[:3]
            if name == "_text":
                return int(address, 16) - LINKED_AT
    raise RuntimeError("/proc/kallsyms has no _text")


def code_sections(path):
    """Names and sizes of the sections with code."""
    listed = subprocess.run(["readelf", "-SW", path], check=True,
                            capture_output=True, text=True).stdout
    for match in re.finditer(
            r"\] (\S+) +PROGBITS +\S+ +\S+ +(\S+) +\S+ +AX ", listed):
        yield match[1], int(match[2], 16)


def loaded_sections(path):
    """Those that are in memory, in order. What was run to load it is no longer,
    and there may be other code now."""
    sections = []
    for name, size in code_sections(path):
        if name.startswith(".init"):
            continue
        try:
            with open(f"{MODULE}/sections/{name}", encoding="ascii") as file:
                start = int(file.read(), 16)
        except FileNotFoundError:
            continue
        sections.append(Section(start, start + size, name))
    return sorted(sections)


def addr2line(path, section, offsets):
    said = subprocess.run(
        ["addr2line", "-f", "-e", path, "-j", section],
        input="".join(f"{offset:#x}\n" for offset in offsets),
        check=True, capture_output=True, text=True).stdout.splitlines()
    for function, place in zip(said[::2], said[1::2]):
        file, _, line = place.split(" ")[0].rpartition(":")
        yield Line(function, file.removeprefix("/src/"),
                   int(line) if line.isdecimal() else 0)


class Module:
    """The module as it is loaded now. It can't be asked after it was loaded
    anew."""

    def __init__(self, path=None):
        self.path = path or debug_file()
        self.sections = loaded_sections(self.path)
        self.starts = [section.start for section in self.sections]
        self.moved = kaslr_offset()

    def place(self, word):
        """Section and offset of what KCOV recorded; None if not ours."""
        address = word + self.moved - 1
        at = bisect.bisect_right(self.starts, address) - 1
        if at < 0 or address >= self.sections[at].end:
            return None
        return self.sections[at].name, address - self.sections[at].start

    def lines(self, words):
        """{word: Line} of those that are the module's."""
        by_section = collections.defaultdict(dict)
        for word in set(words):
            place = self.place(word)
            if place:
                by_section[place[0]][word] = place[1]
        found = {}
        for section, offsets in by_section.items():
            found.update(zip(offsets, addr2line(self.path, section,
                                                offsets.values())))
        return found


def main():
    words = [int(word, 16) for word in sys.stdin.read().split()]
    lines = Module().lines(words)
    for word in words:
        line = lines.get(word)
        print(f"{word:#x}", *(line and (line.function, f"{line.file}:"
                                        f"{line.line}") or ("?", "?:0")))


if __name__ == "__main__":
    main()
