"""How many processor cores and how much memory this process may have: the machine's, or less.

Containers (Docker, Kubernetes), batch systems (Slurm) and systemd put processes into control groups, which limit less
than the machine has while the usual calls go on telling of the machine. Groups are nested and each limits all below
it, so every one from the process's own up to the mount is looked at, in the version 2 of control groups and in version
1; both may be mounted at once. Whatever cannot be read limits nothing.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path("/")
"""Below which /proc and /sys are; tests have others."""

GREATEST_FILE: Final = 1 << 20
"""Bytes that are read of a file of /proc or /sys at most."""


@dataclass(frozen=True)
class Limit:
    """So many cores or bytes, and what allows no more."""

    amount: int
    source: str
    """`this machine`, `the CPU affinity`, or a file of a control group."""


def cores(root: Path | None = None) -> Limit:
    """The cores that this process may keep busy, at least one; parts of a core count as one.

    Rounded up because otherwise a part of what is granted would lie idle: 2.5 cores are used up by three processes
    and not by two.
    """
    limits = [_affinity()]
    for group in _groups(root or ROOT, "cpu"):
        quota = group.quota()
        if quota is not None:
            limits.append(quota)
    return min(limits, key=lambda limit: limit.amount)


def memory(root: Path | None = None) -> Limit:
    """The bytes of memory that this process and those beside it may have in all."""
    return min(_memory(root or ROOT), key=lambda pair: pair[0].amount)[0]


def free_memory(root: Path | None = None) -> Limit:
    """The bytes of memory that are left, counting as free what only caches files."""
    left = [Limit(max(0, limit.amount - used), limit.source) for limit, used in _memory(root or ROOT)]
    return min(left, key=lambda limit: limit.amount)


@dataclass(frozen=True)
class _Group:
    """A control group's directory, and where that lies on the machine that it speaks of."""

    path: Path
    shown: PurePosixPath
    version: int

    def quota(self) -> Limit | None:
        """Of processor time, in cores."""
        if self.version == 2:
            name, written = "cpu.max", self.read("cpu.max").split()
        else:
            name = "cpu.cfs_quota_us"
            written = [self.read(name).strip(), self.read("cpu.cfs_period_us").strip()]
        try:
            quota, period = map(int, written)  # in version 2 `max` is no limit, in version 1 -1 is none
        except ValueError:
            return None
        if quota <= 0 or period <= 0:
            return None
        return Limit(math.ceil(quota / period), str(self.shown / name))

    def memory(self) -> Iterator[Limit]:
        """Its limits of memory: above memory.high nothing is killed, but all is held up."""
        for name in ("memory.max", "memory.high") if self.version == 2 else ("memory.limit_in_bytes",):
            written = self.read(name).strip()
            if written.isdecimal():
                yield Limit(int(written), str(self.shown / name))

    def memory_used(self) -> int:
        """Bytes that its processes hold, without files that are cached."""
        name = "memory.current" if self.version == 2 else "memory.usage_in_bytes"
        kind = "" if self.version == 2 else "total_"  # with the groups below it
        written = self.read(name).strip()
        cached = re.findall(rf"^{kind}(?:in)?active_file (\d+)$", self.read("memory.stat"), re.MULTILINE)
        return max(0, int(written) - sum(map(int, cached))) if written.isdecimal() else 0

    def read(self, name: str) -> str:
        return _read(self.path / name)


def _affinity() -> Limit:
    machine = os.cpu_count() or 1
    if sys.version_info >= (3, 13):
        usable = os.process_cpu_count() or machine
    elif hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
    else:
        usable = machine
    return Limit(usable, "the CPU affinity" if usable < machine else "this machine")


def _memory(root: Path) -> Iterator[tuple[Limit, int]]:
    """Each limit of memory, and how much of it is in use."""
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    found = re.search(r"^MemAvailable:\s*(\d+) kB$", _read(root / "proc/meminfo"), re.MULTILINE)
    yield Limit(there, "this machine"), max(0, there - int(found[1]) * 1024) if found else 0
    for group in _groups(root, "memory"):
        used = group.memory_used()
        for limit in group.memory():
            yield limit, used


def _groups(root: Path, controller: str) -> Iterator[_Group]:
    """The groups that this process is in, innermost first, of both versions where both have the controller."""
    paths = _paths(root, controller)
    for version, mounted_root, mount in _mounts(root, controller):
        path = paths.get(version)
        if path is None:
            continue
        # Within a container the mount often begins at the container's group, which the path, as the machine counts
        # it, begins with; where it does not, as when it leads out of a namespace, the mount is all there is to see.
        below = path.relative_to(mounted_root) if path.is_relative_to(mounted_root) else PurePosixPath()
        if ".." in below.parts:
            below = PurePosixPath()
        for part in (below, *below.parents):
            shown = mount / part
            yield _Group(root / shown.relative_to("/"), shown, version)


def _paths(root: Path, controller: str) -> dict[int, PurePosixPath]:
    """The process's group by version, as /proc/self/cgroup tells: `4:cpu,cpuacct:/path`, in version 2 `0::/path`."""
    paths = {}
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if path.startswith("/"):
            if not controllers:
                paths[2] = PurePosixPath(path)
            elif controller in controllers.split(","):
                paths[1] = PurePosixPath(path)
    return paths


def _mounts(root: Path, controller: str) -> Iterator[tuple[int, PurePosixPath, PurePosixPath]]:
    """Where groups are mounted: the version, the group that the mount begins at, and the mount's directory.

    A line of /proc/self/mountinfo: `id parent device root mount options … - type source options`.
    """
    for line in _read(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(kind) < 3:
            continue
        mounted_root, mount = (PurePosixPath(_unescape(field)) for field in fields[3:5])
        if not mount.is_absolute():
            continue
        if kind[0] == "cgroup2":
            yield 2, mounted_root, mount
        elif kind[0] == "cgroup" and controller in kind[2].split(","):
            yield 1, mounted_root, mount


def _unescape(field: str) -> str:
    """Blanks and the like stand as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def _read(path: Path) -> str:
    """What a file holds; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(GREATEST_FILE).decode(errors="replace")
    except OSError:
        return ""
