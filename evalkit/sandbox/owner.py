"""Who a container belongs to, written into its labels so that orphans can be told from the living."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

RUN = "evalkit.run"
TASK = "evalkit.task"
ATTEMPT = "evalkit.attempt"
OWNER = "evalkit.owner"
TESTS = "evalkit.tests"
"""On containers that run a task's tests."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A process, named so that a reused pid or a rebooted host is not mistaken for it."""

    host: str
    boot: str
    namespace: str
    """The pid namespace: a pid means nothing outside it."""
    pid: int
    started: int
    """Clock ticks from boot to the start of the process (/proc/PID/stat, field 22)."""

    @classmethod
    def here(cls) -> Self:
        """Return the process that runs this code."""
        pid = os.getpid()
        return cls(
            host=os.uname().nodename,
            boot=Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip(),
            namespace=str(Path("/proc/self/ns/pid").readlink()),
            pid=pid,
            started=_start_ticks(pid) or 0,
        )

    @classmethod
    def parse(cls, label: str) -> Self | None:
        """Read what `label` wrote; None where the text is something else."""
        parts = label.split("/")
        if len(parts) != 5 or not (parts[3].isdecimal() and parts[4].isdecimal()):
            return None
        host, boot, namespace, pid, started = parts
        return cls(host=host, boot=boot, namespace=namespace, pid=int(pid), started=int(started))

    @property
    def label(self) -> str:
        """The value of the `evalkit.owner` label."""
        return f"{self.host}/{self.boot}/{self.namespace}/{self.pid}/{self.started}"

    def is_dead(self, observer: "Owner") -> bool:
        """Whether `observer`, a process on this host, can prove that the owner is gone.

        Another host or another pid namespace proves nothing: a daemon may serve several.
        """
        if self.host != observer.host:
            return False
        if self.boot != observer.boot:
            return True
        if self.namespace != observer.namespace:
            return False
        return _start_ticks(self.pid) != self.started


def _start_ticks(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses; it may itself hold blanks and ")".
    return int(stat.rpartition(")")[2].split()[19])
