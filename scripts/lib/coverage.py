# SPDX-License-Identifier: GPL-2.0-only
"""Sum up gcov's documents of several runs: coverage.py [--list] [--check]
SOURCES UNREACHED <DOCUMENTS, one a line."""
import argparse
import collections
import json
import os
import sys


def read_runs(lines):
    """{file: {line: how often it ran}}, over all runs."""
    counts = collections.defaultdict(collections.Counter)
    for document in map(json.loads, lines):
        for file in document["files"]:
            name = os.path.normpath(file["file"].removeprefix("/src/"))
            if name.startswith("module/"):
                for line in file["lines"]:
                    counts[name][line["line_number"]] += line["count"]
    return counts


class Source:
    def __init__(self, top, name):
        with open(os.path.join(top, name), encoding="utf-8") as file:
            self.lines = [line.strip() for line in file]

    def text(self, number):
        return self.lines[number - 1]


def read_unreached(path):
    """[(file, text of the line)]: what may stay unreached. Below each reason,
    which is a comment, stand "file: text"."""
    entries = collections.Counter()
    if not os.path.exists(path):
        return entries
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, colon, text = line.strip().partition(": ")
            if colon and not line.startswith("#"):
                entries[name, text] += 1
    return entries


def show(counts, missed, sources, every):
    total = reached = 0
    for name in sorted(counts):
        lines = counts[name]
        ran = len(lines) - len(missed[name])
        total += len(lines)
        reached += ran
        print(f"{name:<32}{ran:>6} of{len(lines):>6}"
              f"{100 * ran / len(lines):>7.1f} %")
        if every:
            for number in missed[name]:
                print(f"  {number:>5}: {sources[name].text(number)}")
    print(f"{'total':<32}{reached:>6} of{total:>6}"
          f"{100 * reached / total:>7.1f} %")


def check(missed, sources, entries):
    """What is unreached and not named, and named and not unreached."""
    left = collections.Counter(entries)
    wrong = 0
    for name in sorted(missed):
        for number in missed[name]:
            text = sources[name].text(number)
            if left[name, text]:
                left[name, text] -= 1
            else:
                print(f"never ran: {name}:{number}: {text}")
                wrong += 1
    for (name, text), count in sorted(left.items()):
        if count:
            print(f"named as unreached, but it ran or isn't there: "
                  f"{name}: {text}")
            wrong += 1
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("top")
    parser.add_argument("unreached")
    options = parser.parse_args()
    counts = read_runs(sys.stdin)
    if not counts:
        sys.exit("coverage: no line of the module is in these runs")
    sources = {name: Source(options.top, name) for name in counts}
    missed = {name: sorted(number for number, count in lines.items()
                           if not count)
              for name, lines in counts.items()}
    show(counts, missed, sources, options.list)
    if options.check:
        wrong = check(missed, sources, read_unreached(options.unreached))
        return 1 if wrong else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
