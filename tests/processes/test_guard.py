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


def guard_argv(
    *command: str,
    log: Path | str = "/dev/null",
    limit: int = 1 << 40,
    grace_s: float = 0.3,
    niceness: int = 0,
    after: str = "",
) -> list[str]:
    options = [f"--log={log}", f"--limit={limit}", f"--grace={grace_s}", f"--niceness={niceness}"]
    return [sys.executable, "-I", guard.__file__, *options, f"--after={after}", "--", *command]


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


def run_to_its_end(argv: list[str], env: dict[str, str], seconds: float = 6) -> bytes:
    guarded = started(argv, env)
    assert guarded.stdin is not None
    try:
        guarded.wait(seconds)
    finally:
        guarded.stdin.close()
    assert guarded.stdout is not None
    with guarded.stdout as reports:
        return reports.read()


def test_what_the_engine_writes_is_added_to_the_log(tmp_path: Path, marked: dict[str, str]) -> None:
    log = tmp_path / "engine.log"
    log.write_text("before\n")
    run_to_its_end(guard_argv("bash", "-c", "echo out; echo err >&2", log=log), marked)
    assert log.read_text() == "before\nout\nerr\n"


def test_a_full_log_is_put_aside(tmp_path: Path, marked: dict[str, str]) -> None:
    log = tmp_path / "engine.log"
    command = "for n in 1 2 3 4 5 6; do echo line $n; sleep 0.1; done"
    run_to_its_end(guard_argv("bash", "-c", command, log=log, limit=16), marked)
    assert (log.with_name("engine.log.1").read_text(), log.read_text()) == (
        "line 3\nline 4\n",
        "line 5\nline 6\n",
    )


def test_an_engine_that_writes_without_end_is_never_blocked(
    tmp_path: Path, marked: dict[str, str]
) -> None:
    log, stamp = tmp_path / "engine.log", tmp_path / "stamp"
    command = f"head -c 20000000 /dev/zero; touch {stamp}; sleep 600"
    guarded = started(guard_argv("bash", "-c", command, log=log, limit=1 << 20), marked)
    assert until(stamp.exists)
    guarded.communicate(timeout=6)
    assert sum(file.stat().st_size for file in tmp_path.glob("engine.log*")) <= 2 << 20


def test_a_log_that_cannot_grow_does_not_stop_the_engine(
    tmp_path: Path, marked: dict[str, str]
) -> None:
    command = guard_argv("bash", "-c", "head -c 1000000 /dev/zero; exit 7", log="/dev/full")
    assert run_to_its_end(command, marked).split()[2:] == [b"exit", b"7"]


def test_the_last_words_before_the_end_are_kept(tmp_path: Path, marked: dict[str, str]) -> None:
    log = tmp_path / "engine.log"
    command = f"trap 'echo going; exit' TERM; touch {tmp_path}/up; while :; do sleep 0.1; done"
    guarded = started(guard_argv("bash", "-c", command, log=log, grace_s=5), marked)
    assert until((tmp_path / "up").exists)
    guarded.communicate(timeout=6)
    assert log.read_text().endswith("going\n")


def asleep(folder: Path) -> list[int]:
    return [
        pid
        for pid in members(folder)
        if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep")
    ]


def test_somebody_else_who_holds_the_engines_output_is_not_waited_for(
    tmp_path: Path, marked: dict[str, str]
) -> None:
    guarded = started(guard_argv("sleep", "600"), marked)
    assert until(lambda: len(asleep(tmp_path)) == 1)
    held = os.open(f"/proc/{asleep(tmp_path)[0]}/fd/1", os.O_WRONLY)
    try:
        guarded.communicate(timeout=6)
    finally:
        os.close(held)
    assert guarded.returncode == 0


def test_what_is_to_be_done_afterwards_is_done_once_the_tree_is_gone(
    tmp_path: Path, marked: dict[str, str]
) -> None:
    log = tmp_path / "engine.log"
    look = f"bash -c 'read stray leader <{tmp_path}/up; kill -0 $stray $leader || echo gone'"
    guarded = started(guard_argv(*stubborn(tmp_path), log=log, after=look), marked)
    assert until((tmp_path / "up").exists)
    guarded.communicate(timeout=6)
    assert log.read_text().split()[-1] == "gone"


def test_it_is_done_where_the_holder_was_killed(tmp_path: Path, marked: dict[str, str]) -> None:
    argv = guard_argv(*stubborn(tmp_path), after=f"touch {tmp_path}/done")
    holder = started([sys.executable, "-c", HOLDER, *argv], marked)
    assert until((tmp_path / "up").exists)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert until((tmp_path / "done").exists)


def test_a_command_for_afterwards_that_does_not_exist_is_said_in_the_log(
    tmp_path: Path, marked: dict[str, str]
) -> None:
    log = tmp_path / "engine.log"
    run_to_its_end(guard_argv("true", log=log, after="/no/such/docker rm"), marked)
    assert "/no/such/docker" in log.read_text()
