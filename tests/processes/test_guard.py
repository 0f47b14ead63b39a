import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evalkit.serving import guard

# Stands for evalkit: holds the guard's pipe and passes on what the guard reports.
HOLDER = """
import subprocess, sys, time
guarded = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
time.sleep(600)
"""

# Stands for vLLM: a server that ignores TERM, a child in its group, and a stray that left it.
STUBBORN_TREE = """
trap '' TERM
sleep 600 &
setsid sleep 600 &
echo "$! $$" > "$1"
wait
"""


AUTOGROUP = Path("/proc/self/autogroup")


def guard_argv(*command: str, grace_s: float = 0.3, niceness: int = 0) -> list[str]:
    return [sys.executable, "-I", guard.__file__, str(grace_s), str(niceness), *command]


def members(folder: Path) -> set[int]:
    """Processes of the tree, found by the mark that the environment of each carries."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "environ").read_bytes():
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z":
                    found.add(int(entry.name))
        except OSError:
            continue
    return found


def until(condition: Callable[[], bool], seconds: float = 6.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def marked(tmp_path: Path) -> Iterator[dict[str, str]]:
    yield {"PATH": "/usr/bin:/bin", "MARK": str(tmp_path)}
    for pid in members(tmp_path):
        os.kill(pid, signal.SIGKILL)


def started(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def stubborn(tmp_path: Path) -> list[str]:
    return ["bash", "-c", STUBBORN_TREE, "tree", str(tmp_path / "up")]


def test_killing_the_holder_ends_the_whole_tree(tmp_path: Path, marked: dict[str, str]) -> None:
    holder = started([sys.executable, "-c", HOLDER, *guard_argv(*stubborn(tmp_path))], marked)
    assert until((tmp_path / "up").exists)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert until(lambda: not members(tmp_path)), members(tmp_path)


def test_closing_the_pipe_ends_the_whole_tree(tmp_path: Path, marked: dict[str, str]) -> None:
    guarded = started(guard_argv(*stubborn(tmp_path)), marked)
    assert until((tmp_path / "up").exists)
    guarded.communicate(timeout=6)
    assert not members(tmp_path)


def test_terminating_the_guard_ends_the_whole_tree(tmp_path: Path, marked: dict[str, str]) -> None:
    guarded = started(guard_argv(*stubborn(tmp_path)), marked)
    assert until((tmp_path / "up").exists)
    guarded.terminate()
    guarded.wait(6)
    guarded.communicate()
    assert not members(tmp_path)


def test_a_frozen_tree_is_ended_too(tmp_path: Path, marked: dict[str, str]) -> None:
    guarded = started(guard_argv(*stubborn(tmp_path)), marked)
    assert until((tmp_path / "up").exists)
    stray, leader = map(int, (tmp_path / "up").read_text().split())
    os.killpg(leader, signal.SIGSTOP)
    os.kill(stray, signal.SIGSTOP)
    guarded.communicate(timeout=6)
    assert not members(tmp_path)


def test_an_engine_that_ends_takes_its_stray_children_along(
    tmp_path: Path, marked: dict[str, str]
) -> None:
    guarded = started(guard_argv("bash", "-c", "setsid sleep 600 & sleep 600 & exit 0"), marked)
    guarded.wait(6)
    guarded.communicate()
    assert not members(tmp_path)


def test_an_engine_that_stops_politely_is_not_waited_for(
    tmp_path: Path, marked: dict[str, str]
) -> None:
    guarded = started(guard_argv("sleep", "600", grace_s=60), marked)
    assert until(lambda: len(members(tmp_path)) == 2)
    begun = time.monotonic()
    guarded.communicate(timeout=6)
    assert time.monotonic() - begun < 2


def test_an_engine_gives_way_where_it_is_told_to(marked: dict[str, str]) -> None:
    guarded = started(guard_argv("bash", "-c", "sleep 0.2; exit $(nice)", niceness=19), marked)
    assert guarded.stdout is not None
    assert guarded.stdout.read().decode().split()[2:] == ["exit", "19"]
    guarded.communicate()


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not group sessions")
def test_an_engine_gives_way_as_a_session_too(tmp_path: Path, marked: dict[str, str]) -> None:
    command = f"sleep 0.2; cat {AUTOGROUP} >{tmp_path}/group"
    guarded = started(guard_argv("bash", "-c", command, niceness=19), marked)
    guarded.wait(6)
    guarded.communicate()
    assert (tmp_path / "group").read_text().split()[1:] == ["nice", "19"]


def test_the_engines_exit_code_is_reported(marked: dict[str, str]) -> None:
    guarded = started(guard_argv("bash", "-c", "exit 7"), marked)
    assert guarded.stdout is not None
    assert guarded.stdout.read().decode().split()[2:] == ["exit", "7"]
    guarded.communicate()


def test_the_engine_writes_to_the_guards_standard_error(
    tmp_path: Path, marked: dict[str, str]
) -> None:
    log = tmp_path / "engine.log"
    with log.open("wb") as output:
        command = guard_argv("bash", "-c", "echo out; echo err >&2")
        guarded = subprocess.Popen(
            command, env=marked, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=output
        )
        guarded.wait(6)
        guarded.communicate()
    assert log.read_text() == "out\nerr\n"
