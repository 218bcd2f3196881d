"""What processes cost: only those that this run started, and their children."""

import os

import psutil


class Meter:
    """CPU of some processes over a run, however often one of them is started anew.

    A process that ended tells nothing any more: what counts is the last look before that, so
    `look` is called often, and right before a process is ended.

    Attributes:
        resident_bytes: The most memory that they had at a look.
    """

    def __init__(self) -> None:
        self._roots: set[int] = set()
        self._cpu_s: dict[tuple[int, float], float] = {}
        self._before: dict[tuple[int, float], float] = {}
        self.resident_bytes = 0

    def watch(self, pid: int) -> None:
        """Looks at a process and its children: what they cost before now does not count.

        Args:
            pid: Of a process that this run started.
        """
        self._roots.add(pid)
        found = {key: cpu_s for key, (cpu_s, _) in _looked(pid).items()}
        self._cpu_s |= found
        self._before |= found

    def look(self) -> None:
        """Takes what they cost so far, and hold."""
        resident = 0
        for pid in self._roots:
            for key, (cpu_s, bytes_) in _looked(pid).items():
                self._cpu_s[key] = cpu_s
                resident += bytes_
        self.resident_bytes = max(self.resident_bytes, resident)

    @property
    def cpu_s(self) -> float:
        """Seconds of CPU, of user and system."""
        return sum(self._cpu_s.values()) - sum(self._before.values())


def own_resident_bytes() -> int:
    """What this process holds."""
    return int(psutil.Process().memory_info().rss)


def own_cpu_s() -> float:
    """Seconds of CPU of this process, of user and system."""
    used = os.times()
    return used.user + used.system


def _looked(pid: int) -> dict[tuple[int, float], tuple[float, int]]:
    """CPU and memory of a process and its children; of those that are still there."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return {}
    found = {}
    for each in processes:
        try:
            cpu, memory = each.cpu_times(), each.memory_info()
            found[each.pid, each.create_time()] = (cpu.user + cpu.system, memory.rss)
        except psutil.NoSuchProcess:
            continue
    return found
