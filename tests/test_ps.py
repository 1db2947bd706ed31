# SPDX-License-Identifier: GPL-2.0-only
"""ps: each process is what its smaps_rollup and status say."""
import contextlib
import json
import os
import re

import lib
import machine
import records
from lib import PAGE, Skip, expect, same, test
from test_smaps import another_with_the_vdso
from test_tables import status_field

COLUMNS = ("vss", "rss", "pss", "uss", "swap", "tables")


def document(*arguments):
    # Another process may end meanwhile, which is told on standard error.
    return json.loads(lib.run_apart("mmlens", "ps", "--json", *arguments)
                      .stdout)


def ps(*arguments):
    """Rows of the command by PID; amounts in bytes."""
    return {row["pid"]: row for row in document(*arguments)["processes"]}


def rollup(pid):
    """Fields of smaps_rollup in KiB."""
    return {key: int(value) for key, value in re.findall(
        r"^(\w+): +(\d+) kB$", lib.read(f"/proc/{pid}/smaps_rollup"), re.M)}


def wanted(pid):
    """What each column must be, in KiB."""
    sums = rollup(pid)
    return {"vss": status_field(pid, "VmSize") >> 10, "rss": sums["Rss"],
            "pss": sums["Pss"],
            "uss": sums["Private_Clean"] + sums["Private_Dirty"],
            "swap": sums["Swap"], "tables": status_field(pid, "VmPTE") >> 10}


def all_wanted(pids):
    """That of each, while there is one more process, as ps is one."""
    with another_with_the_vdso():
        return {pid: wanted(pid) for pid in pids}


def between(got, before, after):
    return all(got[c] in (before[c], after[c]) for c in COLUMNS)


def stopped():
    """PIDs of all that stands still."""
    return [machine.TARGETS[name]() for name in machine.TARGETS
            if name != "init"]


@test()
def ps_is_smaps_rollup():
    pids = stopped()
    for attempt in range(5):
        before = all_wanted(pids)
        rows = ps()
        after = all_wanted(pids)
        wrong = []
        for pid in pids:
            expect(pid in rows, f"process {pid} is missing")
            got = {c: rows[pid][c] >> 10 for c in COLUMNS}
            if not between(got, before[pid], after[pid]):
                wrong.append(f"{pid}: {got} instead of {after[pid]}")
        if not wrong:
            return
    raise lib.Failure("\n".join(wrong))


@test()
@lib.settles
def procs_are_status_and_rollup():
    """The records, member by member."""
    pids = stopped()
    found = {p.pid: p for p in records.procs()}
    for pid in pids:
        check_record(found[pid])
    kthread = found[lib.kernel_thread()]
    same(kthread.flags & 3, records.PROC_KTHREAD | records.PROC_NO_MM,
         "flags of a kernel thread")
    same(kthread.sums, None, "sums of a kernel thread")
    same(sorted(found), list(found), "order of the PIDs")


NAMES = {"Rss": "rss", "Shared_Clean": "shared_clean",
         "Shared_Dirty": "shared_dirty", "Private_Clean": "private_clean",
         "Private_Dirty": "private_dirty", "Referenced": "referenced",
         "Anonymous": "anonymous", "KSM": "ksm", "LazyFree": "lazyfree",
         "AnonHugePages": "anon_huge", "ShmemPmdMapped": "shmem_huge",
         "FilePmdMapped": "file_huge", "Shared_Hugetlb": "shared_hugetlb",
         "Private_Hugetlb": "private_hugetlb", "Swap": "swap"}
PROPORTIONAL = {"Pss": "pss", "Pss_Anon": "pss_anon", "Pss_File": "pss_file",
                "Pss_Shmem": "pss_shmem", "Pss_Dirty": "pss_dirty",
                "Locked": "pss_locked"}


def check_record(proc):
    pid = proc.pid
    sums = rollup(pid)
    for field, name in NAMES.items():
        if field in sums:
            same(proc.sums[name] >> 10, sums[field], f"{name} of {pid}")
    for field, name in PROPORTIONAL.items():
        if field in sums:
            same(proc.sums[name] >> 22, sums[field], f"{name} of {pid}")
    for field, name in (("VmSize", "vsize"), ("VmPTE", "tables")):
        same(getattr(proc, name), status_field(pid, field), name)
    stat = lib.read(f"/proc/{pid}/stat", "rb")
    fields = stat.rpartition(b")")[2].split()
    same(proc.ppid, int(fields[1]), f"parent of {pid}")
    same(proc.threads, int(fields[17]), f"threads of {pid}")
    ticks = os.sysconf("SC_CLK_TCK")
    same(proc.start * ticks // 10**9, int(fields[19]), f"start of {pid}")
    same(proc.comm, lib.read(f"/proc/{pid}/comm", "rb")[:-1], "comm")
    uid = int(re.search(r"^Uid:\t\d+\t(\d+)", lib.read(
        f"/proc/{pid}/status"), re.M).group(1))
    same(proc.uid, uid, f"user of {pid}")
    same(proc.flags, 0, f"flags of {pid}")


def user_processes():
    """PIDs with an address space."""
    found = set()
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            if name.isdigit() and "VmSize:" in lib.read(
                    f"/proc/{name}/status"):
                found.add(int(name))
    return found


@test()
def ps_shows_every_process_once():
    stopped()
    before = user_processes()
    rows = ps()
    after = user_processes()
    expect(before & after <= set(rows), f"without {before & after - set(rows)}")
    expect(lib.kernel_thread() not in rows, "a kernel thread")
    every = ps("--all")
    expect(lib.kernel_thread() in every, "no kernel thread with --all")


@test()
def ps_shows_users():
    machine.postgres()
    rows = ps()
    same(rows[machine.postgres()]["user"], "postgres", "user")
    same(rows[machine.shell()]["user"], "root", "user")


def text_rows(*arguments):
    """Words of each line by PID, and the heading's."""
    lines = lib.run_apart("mmlens", "ps", *arguments).stdout.decode()
    heading, *lines = lines.splitlines()
    heading = heading.split()
    rows = [dict(zip(heading, line.split(None, len(heading) - 1)))
            for line in lines]
    return heading, [row for row in rows if row.get("PID", "").isdigit()]


@test()
@lib.settles
def ps_text_is_in_kib():
    heading, rows = text_rows()
    for word in ("PID", "USER", "VSS", "RSS", "PSS", "USS", "SWAP", "TABLES",
                 "COMMAND"):
        expect(word in heading, f"no column {word} in {heading}")
    pid = machine.redis()
    row, = (row for row in rows if row["PID"] == str(pid))
    same({c: int(row[c.upper()]) for c in COLUMNS}, all_wanted([pid])[pid],
         "amounts")


@test("pid", "vss", "rss", "pss", "uss", "swap", "tables")
def ps_sorts(column):
    stopped()
    _, rows = text_rows("--sort", column)
    values = [int(row[column.upper()]) for row in rows]
    expect(values in (sorted(values), sorted(values, reverse=True)),
           f"order of {column}: {values}")
    expect(len(set(values)) > 1, "all the same")


@test()
def ps_refuses_an_unknown_column():
    done = lib.mmlens("ps", "--sort", "nonsense")
    same(done.returncode, 2, "status")
    expect(b"nonsense" in done.stderr, f"says {done.stderr}")


@test()
def ps_of_a_pid_is_that_of_all():
    pid = machine.redis()
    row, = ps(str(pid)).values()
    wanted = ps()[pid]
    for name in "vss", "rss", "swap", "tables", "comm", "uid", "ppid":
        same(row[name], wanted[name], name)


@test()
def ps_by_user_and_mapping_is_all_of_it():
    pid = str(machine.python())
    row, = ps(pid).values()
    users = document("-u", pid)
    mappings = document("-m", pid)
    for name in "vss", "rss", "swap":
        same(users["total"][name], row[name], f"{name} of the users")
        same(mappings["total"][name], row[name], f"{name} of the mappings")
    names = [mapping["map"] for mapping in mappings["mappings"]]
    expect("<anonymous>" in names and "[heap]" in names, f"names: {names}")


@test("-m", "-u", "-w")
def ps_summaries(option):
    text = lib.mmlens_ok("ps", option).decode()
    expect(len(text.splitlines()) > 2, f"only {text!r}")
    json.loads(lib.mmlens_ok("ps", option, "--json"))


SMEM = "pid vss uss pss rss swap"


@test()
def ps_agrees_with_smem():
    """smem shares pages with what it looks at: PSS and USS are near."""
    pids = [machine.shell(), machine.redis(), machine.vmas()]
    done = lib.run("smem", "-H", "-c", SMEM)
    if done.returncode:
        raise Skip(f"smem: {done.stderr.decode()[-200:]}")
    theirs = {}
    for line in done.stdout.decode().splitlines():
        pid, *amounts = map(int, line.split())
        theirs[pid] = dict(zip(SMEM.split()[1:], amounts))
    rows = ps()
    for pid in pids:
        for column, amount in theirs[pid].items():
            got = rows[pid][column] >> 10
            # smem counts the vsyscall page, which belongs to no process.
            if column == "vss" and "[vsyscall]" in lib.read(
                    f"/proc/{pid}/maps"):
                amount -= PAGE >> 10
            allowed = 0 if column in ("vss", "rss", "swap") else \
                max(256, amount // 10)
            expect(abs(got - amount) <= allowed,
                   f"{column} of {pid}: {got} kB, smem has {amount}")


@test()
def ps_while_processes_come_and_go():
    """It ends well, whatever ends meanwhile."""
    with lib.quiet_kernel(), lib.process(
            "stress-ng", "--fork", "2", "--exec", "1", "--timeout", "120s"):
        for _ in range(10):
            rows = ps()
            expect(os.getpid() in rows, "not even this process")
            for row in rows.values():
                # One that ended while it was looked at has no sums.
                if "uss" not in row:
                    continue
                expect(row["uss"] <= row["rss"] and row["pss"] <= row["rss"],
                       f"impossible: {row}")
