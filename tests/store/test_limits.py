"""Limits as containers, Slurm and systemd set them, read from files as the kernel writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnviz.store.limits import Limit, cores, free_memory, memory

HERE = Limit(len(os.sched_getaffinity(0)), cores(Path("/nowhere")).source)
"""Where nothing but the machine and the affinity limits."""

VERSION_2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
VERSION_1 = """\
31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
32 31 0:29 {root} /sys/fs/cgroup/cpu,cpuacct ro shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 {root} /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory
"""
GB = 1_000_000_000


def system(root: Path, groups: str, mounts: str, **files: str | int) -> Path:
    """A machine's files below `root`; the names of `files` are paths below /sys/fs/cgroup."""
    places: dict[str, str | int] = {"proc/self/cgroup": groups, "proc/self/mountinfo": mounts}
    for name, written in (places | {f"sys/fs/cgroup/{name}": value for name, value in files.items()}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{written}\n")
    return root


def test_where_there_are_no_groups_the_machine_limits(tmp_path: Path) -> None:
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert cores(tmp_path) == HERE
    assert memory(tmp_path) == free_memory(tmp_path) == Limit(there, "this machine")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:  1000 kB\nMemAvailable:  2048 kB\nBuffers:  5 kB\n")
    assert free_memory(tmp_path) == Limit(2048 * 1024, "this machine")


def test_a_container_of_version_2(tmp_path: Path) -> None:
    """Its own group is all that it sees, at the mount itself."""
    files: dict[str, str | int] = {
        "cpu.max": "100000 100000",
        "memory.max": 2 * GB,
        "memory.high": "max",
        "memory.current": GB,
        "memory.stat": "anon 5\nfile 600000000\nactive_file 100000000\ninactive_file 400000000\nshmem 100000000",
    }
    root = system(tmp_path, "0::/\n", VERSION_2, **files)
    assert cores(root) == Limit(1, "/sys/fs/cgroup/cpu.max")
    assert memory(root) == Limit(2 * GB, "/sys/fs/cgroup/memory.max")
    assert free_memory(root) == Limit(1_500_000_000, "/sys/fs/cgroup/memory.max"), "caches count as free"


def test_the_least_of_nested_groups_limits(tmp_path: Path) -> None:
    """Slurm's job limits its steps, whose own files say nothing; what is left may be less where more is granted."""
    files: dict[str, str | int] = {
        "slurm/cpu.max": "max 100000",
        "slurm/job/cpu.max": "50000 100000",
        "slurm/job/step/cpu.max": "max 100000",
        "slurm/memory.max": 4 * GB,
        "slurm/memory.current": 3_900_000_000,
        "slurm/job/memory.max": 3 * GB,
        "slurm/job/memory.current": GB,
        "slurm/job/step/memory.max": "max",
        "slurm/job/step/memory.current": GB,
        "other/memory.max": 5,
    }
    root = system(tmp_path, "0::/slurm/job/step\n", VERSION_2, **files)
    assert cores(root) == Limit(1, "/sys/fs/cgroup/slurm/job/cpu.max")
    assert memory(root) == Limit(3 * GB, "/sys/fs/cgroup/slurm/job/memory.max")
    assert free_memory(root) == Limit(100_000_000, "/sys/fs/cgroup/slurm/memory.max")


def test_what_systemd_holds_up_is_a_limit(tmp_path: Path) -> None:
    """MemoryHigh= of a unit; more than that in use leaves nothing."""
    files: dict[str, str | int] = {"memory.max": 2 * GB, "memory.high": GB, "memory.current": 1_500_000_000}
    unit = {f"system.slice/my.service/{name}": value for name, value in files.items()}
    root = system(tmp_path, "0::/system.slice/my.service\n", VERSION_2, **unit)
    source = "/sys/fs/cgroup/system.slice/my.service/memory.high"
    assert memory(root) == Limit(GB, source)
    assert free_memory(root) == Limit(0, source)


@pytest.mark.parametrize(
    ("path", "root", "below"),
    [
        ("/", "/", ""),
        ("/docker/abc", "/docker/abc", ""),
        ("/docker/abc", "/", "docker/abc/"),
        ("/docker/abc/inner", "/docker/abc", "inner/"),
        ("/../../elsewhere", "/", ""),
    ],
)
def test_version_1_wherever_its_mount_begins(tmp_path: Path, path: str, root: str, below: str) -> None:
    groups = f"12:memory:{path}\n4:cpu,cpuacct:{path}\n1:name=systemd:/init\n"
    files: dict[str, str | int] = {
        f"cpu,cpuacct/{below}cpu.cfs_quota_us": "50000",
        f"cpu,cpuacct/{below}cpu.cfs_period_us": "100000",
        f"memory/{below}memory.limit_in_bytes": 2 * GB,
        f"memory/{below}memory.usage_in_bytes": GB,
        f"memory/{below}memory.stat": "active_file 7\ntotal_active_file 0\ntotal_inactive_file 250000000",
    }
    there = system(tmp_path, groups, VERSION_1.format(root=root), **files)
    assert cores(there) == Limit(1, f"/sys/fs/cgroup/cpu,cpuacct/{below}cpu.cfs_quota_us")
    assert memory(there) == Limit(2 * GB, f"/sys/fs/cgroup/memory/{below}memory.limit_in_bytes")
    assert free_memory(there).amount == 1_250_000_000


def test_version_1_without_limits(tmp_path: Path) -> None:
    files: dict[str, str | int] = {
        "cpu,cpuacct/cpu.cfs_quota_us": "-1",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
        "memory/memory.limit_in_bytes": 9223372036854771712,
        "memory/memory.usage_in_bytes": GB,
    }
    root = system(tmp_path, "3:memory:/\n2:cpu,cpuacct:/\n0::/\n", VERSION_1.format(root="/"), **files)
    assert cores(root) == HERE
    assert memory(root).source == free_memory(root).source == "this machine"


def test_both_versions_at_once(tmp_path: Path) -> None:
    """Memory in version 1, processor time in version 2, as on a system that is half way between them."""
    mounts = VERSION_1.format(root="/") + VERSION_2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
    files: dict[str, str | int] = {
        "memory/job/memory.limit_in_bytes": GB,
        "unified/job/cpu.max": "1000 100000",
    }
    root = system(tmp_path, "3:memory:/job\n0::/job\n", mounts, **files)
    assert cores(root) == Limit(1, "/sys/fs/cgroup/unified/job/cpu.max")
    assert memory(root) == Limit(GB, "/sys/fs/cgroup/memory/job/memory.limit_in_bytes")


def test_parts_of_a_core_count_as_one(tmp_path: Path) -> None:
    for quota, expected in (("1", 1), ("100000", 1), ("100001", 2), (f"{HERE.amount}00000", HERE.amount)):
        root = system(tmp_path, "0::/\n", VERSION_2, **{"cpu.max": f"{quota} 100000"})
        assert cores(root).amount == min(expected, HERE.amount)
    root = system(tmp_path, "0::/\n", VERSION_2, **{"cpu.max": "99900000 100000"})
    assert cores(root) == HERE, "a quota above the affinity limits nothing"


@pytest.mark.parametrize(
    ("groups", "mounts", "written"),
    [
        ("0::/\n", VERSION_2, "half a core"),
        ("0::/\n", VERSION_2, ""),
        ("0::/\n", VERSION_2, "1 0"),
        ("0::/\n", VERSION_2, "-5 100000"),
        ("0::/\n", VERSION_2, "\x00\xff 1"),
        ("0::/\n", "", "1 1"),
        ("0::/\n", "30 23\n\n - cgroup2\n30 23 0:26 / relative rw - cgroup2 cgroup2 rw\n", "1 1"),
        ("", VERSION_2, "1 1"),
        ("nonsense\n0::\n:::\n", VERSION_2, "1 1"),
        ("0::/gone\n", "30 23 0:26 / /elsewhere rw - cgroup2 cgroup2 rw\n", "1 1"),
    ],
)
def test_what_cannot_be_read_limits_nothing(tmp_path: Path, groups: str, mounts: str, written: str) -> None:
    files = {"cpu.max": written, "memory.max": written, "memory.current": written, "memory.stat": written}
    root = system(tmp_path, groups, mounts, **files)
    assert cores(root) == HERE
    assert memory(root).source == free_memory(root).source == "this machine"


def test_a_mount_with_blanks_in_its_name(tmp_path: Path) -> None:
    mounts = r"30 23 0:26 / /sys/fs/cgroup/two\040words rw - cgroup2 cgroup2 rw"
    root = system(tmp_path, "0::/\n", mounts, **{"two words/memory.max": GB})
    assert memory(root) == Limit(GB, "/sys/fs/cgroup/two words/memory.max")


def test_the_affinity_limits(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    if len(before) < 2:
        pytest.skip("one core: nothing to take away")
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores(tmp_path) == Limit(1, "the CPU affinity")
    finally:
        os.sched_setaffinity(0, before)
