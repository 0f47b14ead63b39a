"""What is shown of a run while it goes, on a terminal and elsewhere."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from rich.console import Console

from evalkit.cli.live import LiveWatcher, PlainWatcher, clock
from evalkit.types import (
    Applied,
    Evidence,
    Finished,
    Outcome,
    StopReason,
    Submission,
    Tally,
    Verdict,
)
from tests.doubles.tasks import make_result

PRO = "instance_qutebrowser__qutebrowser-50efac08f623644a85441bbe02ab9347d2b71a9d"
AWAY = {
    "docker": "the Docker daemon does not answer: connection refused",
    "disk": "112 MiB are free at /data/runs, less than 512",
    "engine": "it made no step for 180 s, with work at hand",
}


def terminal(width: int = 80, height: int = 24) -> Console:
    return Console(file=StringIO(), force_terminal=True, width=width, height=height, _environ={})


def frame(watcher: LiveWatcher, width: int = 80, height: int = 24) -> list[str]:
    """The lines that a terminal of that size shows of it."""
    console = terminal(width, height)
    with console.capture() as capture:
        console.print(watcher)
    return re.sub(r"\x1b\[[\d;]*m", "", capture.get()).splitlines()


def finished(outcome: Outcome = Outcome.UNRESOLVED, task_id: str = "demo") -> Finished:
    none = Tally(passed=0, total=1)
    return Finished(
        result=make_result(task_id=task_id, outcome=outcome, turns=7, wall_s=61),
        submission=Submission(task_id=task_id, attempt=1, patch="", stop=StopReason.SUBMITTED),
        evidence=Evidence(applied=Applied.EMPTY),
        verdict=Verdict(outcome=Outcome.UNRESOLVED, fail_to_pass=none, pass_to_pass=none),
    )


def crowd(count: int, console: Console) -> LiveWatcher:
    """Shows so many attempts under way, and everything paused, with some finished."""
    watcher = LiveWatcher(console, 4000, 100, paused=lambda: AWAY)
    for outcome in Outcome:
        watcher.finished(finished(outcome))
    for number in range(count):
        watcher.changed(f"{PRO}-{number}", 1, f"turn {number}")
    return watcher


def test_an_attempt_is_shown_with_what_it_does() -> None:
    watcher = LiveWatcher(terminal(), 8)
    watcher.changed("leap-years", 2, "turn 12")
    assert re.match(r"leap-years +#2 +turn 12 +\d+:\d\d", frame(watcher)[0])


def test_a_finished_attempt_is_under_way_no_more() -> None:
    watcher = LiveWatcher(terminal(), 8)
    watcher.changed("demo", 1, "grading")
    watcher.finished(finished())
    assert "demo" not in "".join(frame(watcher))


def test_a_finished_attempt_has_its_line_above_the_table() -> None:
    console = terminal()
    with LiveWatcher(console, 8) as watcher, console.capture() as capture:
        watcher.finished(finished())
    assert "demo #1  7 turns, 61 s" in capture.get()


@pytest.mark.parametrize("size", [(80, 24), (40, 24), (40, 16), (200, 50)])
@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 731])
def test_it_is_never_higher_than_the_terminal(size: tuple[int, int], count: int) -> None:
    assert len(frame(crowd(count, terminal(*size)), *size)) < size[1]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_it_is_never_wider_than_the_terminal(width: int) -> None:
    lines = frame(crowd(731, terminal(width)), width)
    assert max(len(line) for line in lines) <= width


def test_attempts_without_a_row_are_counted() -> None:
    lines = frame(crowd(731, terminal()))
    rows = sum("turn" in line for line in lines)
    assert f"… and {731 - rows} more" in lines


def test_on_a_high_terminal_twenty_have_a_row() -> None:
    lines = frame(crowd(731, terminal(80, 100)), 80, 100)
    assert sum("turn" in line for line in lines) == 20


def test_on_a_low_terminal_those_that_began_first_have_a_row() -> None:
    assert "turn 0 " in frame(crowd(731, terminal(40, 10)), 40, 10)[0]


def test_on_a_narrow_terminal_an_id_is_cut_and_nothing_else() -> None:
    watcher = LiveWatcher(terminal(40), 8)
    watcher.changed(PRO, 12, "turn 123")
    assert re.fullmatch(r"qutebrowser__\w*…  #12  turn 123  \d+:\d\d", frame(watcher, 40)[0])


@pytest.mark.parametrize("what", AWAY)
@pytest.mark.parametrize("width", [40, 80])
def test_what_is_paused_is_shown_with_its_whole_reason(what: str, width: int) -> None:
    words = " ".join(" ".join(frame(crowd(731, terminal(width)), width)).split())
    assert f"paused: {what}: {AWAY[what]}" in words


def test_a_long_reason_is_cut() -> None:
    watcher = LiveWatcher(terminal(), 8, paused=lambda: {"engine": "it said: no\n" * 100})
    assert len(frame(watcher)) == 5


def test_the_bar_has_a_line_of_its_own() -> None:
    bar, summary = frame(LiveWatcher(terminal(), 8))
    assert (set(bar.rstrip()), summary[:3]) == ({"━"}, "0/8")


def test_what_was_finished_before_counts() -> None:
    watcher = LiveWatcher(terminal(), 731, 400)
    watcher.finished(finished())
    assert frame(watcher)[-1].startswith("401/731  ")


def test_what_was_finished_before_stands_apart_from_the_outcomes() -> None:
    watcher = LiveWatcher(terminal(), 731, 400)
    watcher.finished(finished())
    assert frame(watcher)[-1].endswith("  400 before  1 unresolved")


def test_outcomes_keep_their_order() -> None:
    watcher = LiveWatcher(terminal(), 8)
    for outcome in (Outcome.INFRA_ERROR, Outcome.RESOLVED, Outcome.RESOLVED):
        watcher.finished(finished(outcome))
    assert "2 resolved  1 infra_error" in frame(watcher)[-1]


def test_about_how_long_is_left_follows_from_what_is_finished() -> None:
    watcher = LiveWatcher(terminal(), 8)
    watcher.finished(finished())
    assert re.search(r", about \d+:\d\d left", frame(watcher)[-1])


@pytest.mark.parametrize("before", [0, 4])
def test_before_an_attempt_of_this_session_is_finished_nobody_guesses(before: int) -> None:
    assert "left" not in frame(LiveWatcher(terminal(), 8, before))[-1]


def test_at_the_end_no_time_is_left() -> None:
    watcher = LiveWatcher(terminal(), 1)
    watcher.finished(finished())
    assert "left" not in frame(watcher)[-1]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (61.9, "1:01"), (3600, "1:00:00"), (360000, "100:00:00")]
)
def test_a_span_of_time_is_shown_as_a_clock_does(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_elsewhere_each_start_and_end_is_one_whole_line() -> None:
    told = StringIO()
    with PlainWatcher(told, 731, 400) as watcher:
        watcher.changed(PRO, 1, "rollout")
        watcher.changed(PRO, 1, "turn 1")
        watcher.changed(PRO, 1, "grading")
        watcher.finished(finished(task_id=PRO))
    assert told.getvalue() == (
        f"{PRO} #1: started\n[401/731] {PRO} #1: unresolved, 7 turns, 61 s\n"
    )


class SlowLog(StringIO):
    """A log on which a line takes as long as others need to come in between."""

    def write(self, text: str) -> int:
        for character in text:
            time.sleep(0.0001)
            super().write(character)
        return len(text)


def test_elsewhere_lines_of_several_threads_do_not_mix() -> None:
    log = SlowLog()
    watcher = PlainWatcher(log, 8)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: watcher.finished(finished(task_id="a")), range(8)))
    assert log.getvalue().splitlines() == [
        f"[{number}/8] a #1: unresolved, 7 turns, 61 s" for number in range(1, 9)
    ]
