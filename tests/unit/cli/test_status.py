"""`evalkit status`, as its user and a cron job see it."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from evalkit.cli.status import show_status
from evalkit.reporting.status import Doing, Paused, State, Status, UnderWay
from evalkit.store import RunFolder
from evalkit.types import EngineSample, Outcome
from tests.doubles.tasks import make_result
from tests.unit.cli.test_commands import Done, evalkit

DOCS = Path(__file__).parents[3] / "docs"
PRO = "instance_qutebrowser__qutebrowser-50efac08f623644a85441bbe02ab9347d2b71a9d"
COMMAND = "evalkit run --suite swebench-pro --runner qwen3-coder-next -o runs/pro --resume"
CROWD = tuple(
    UnderWay(task_id=f"{PRO}-{number}", attempt=1, doing=doing, seconds=3661)
    for number, doing in enumerate([Doing.ROLLOUT] * 700 + [Doing.GRADING] * 31)
)
DISK = Paused(what="disk", why="112 MiB are free at /data/runs, less than 512", since=9000)
LOOK = EngineSample(t=9990, incarnation=2, running=120, waiting=3, kv_usage=0.451)


def status(**changes: Any) -> Status:
    """A run in the middle of its work; `changes` replace what is known of it."""
    fields: dict[str, Any] = {
        "folder": Path("runs/pro"),
        "state": State.RUNNING,
        "suite": "swebench-pro",
        "model": "Qwen3-Coder-Next",
        "looked": 10000,
        "planned": 2000,
        "finished": 1999,
        "outcomes": {Outcome.RESOLVED: 700, Outcome.UNRESOLVED: 1299, Outcome.NO_PATCH: 0},
        "under_way": (),
        "to_grade": 0,
        "interrupted": 0,
        "not_begun": 0,
        "earlier": 0,
        "sessions": 3,
        "session_s": 7200,
        "per_hour": 1038.5,
        "left_s": 3661,
        "paused": (),
        "engine": None,
        "command": COMMAND,
    }
    return Status(**(fields | changes))


EVERYTHING = {
    "under_way": CROWD,
    "to_grade": 4,
    "interrupted": 5,
    "not_begun": 6,
    "earlier": 731,
    "paused": (DISK,),
    "engine": LOOK,
}


def shown(width: int = 100, **changes: Any) -> list[str]:
    file = StringIO()
    show_status(status(**changes), Console(file=file, width=width, markup=False))
    return [line.rstrip() for line in file.getvalue().splitlines()]


@pytest.mark.parametrize(
    "row",
    [
        "run swebench-pro: Qwen3-Coder-Next",
        "state running, session 3, 2:00:00 long",
        "finished 1999 of 2000, 99%",
        "outcomes 700 resolved, 1299 unresolved",
        "speed 1,038.5 an hour in this session, about 1:01:01 left",
        "under way 731: 700 rollout, 31 grading",
        "to grade 4, their rollouts are at their end",
        "interrupted 5, to be made anew",
        "not begun 6",
        "paused disk, for 16:40: 112 MiB are free at /data/runs, less than 512",
        "engine start 2, 0:10 ago: 120 running, 3 waiting, KV cache 45%",
        "earlier 731 attempts under other conditions, not counted",
    ],
)
@pytest.mark.parametrize("width", [40, 100])
def test_everything_known_has_its_row(row: str, width: int) -> None:
    assert f" {row} " in f" {' '.join(' '.join(shown(width, **EVERYTHING)).split())} "


@pytest.mark.parametrize("width", [40, 80])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in shown(width, **EVERYTHING)) <= width


def test_of_what_there_is_none_there_is_no_row() -> None:
    rows = [line.split()[0] for line in shown()]
    assert rows == ["run", "state", "finished", "outcomes", "speed"]


def test_an_attempt_under_way_has_its_line() -> None:
    one = UnderWay(task_id="leap-years", attempt=2, doing=Doing.AGAIN, seconds=61)
    assert shown(under_way=(one,))[-1] == "leap-years  #2  again  1:01"


def test_on_a_narrow_terminal_an_id_is_cut_and_nothing_else() -> None:
    assert re.fullmatch(r"qutebrowser__\w*…  #1  rollout  1:01:01", shown(40, **EVERYTHING)[-2])


def test_of_a_crowd_under_way_twenty_have_a_line() -> None:
    assert sum("1:01:01" in line for line in shown(under_way=CROWD, left_s=None)) == 20


def test_the_rest_of_a_crowd_is_counted() -> None:
    assert shown(under_way=CROWD)[-1] == "… and 711 more"


@pytest.mark.parametrize("width", [40, 100])
def test_of_a_stopped_run_the_command_that_goes_on_is_one_line(width: int) -> None:
    assert shown(width, state=State.STOPPED)[-2:] == ["Go on with", f"  {COMMAND}"]


@pytest.mark.parametrize("state", [State.RUNNING, State.COMPLETE])
def test_where_nothing_is_to_be_done_no_command_is_shown(state: State) -> None:
    assert COMMAND not in "".join(shown(state=state))


def test_what_was_away_as_a_run_ended_is_told_as_past() -> None:
    lines = shown(state=State.STOPPED, paused=(DISK,))
    assert "paused    disk, when it ended: 112 MiB are free at /data/runs, less than 512" in lines


def test_the_speed_of_a_run_that_is_over_is_told_as_past() -> None:
    assert "speed     1,038.5 an hour in the last session" in shown(
        state=State.STOPPED, left_s=None
    )


def test_an_engine_that_is_over_is_not_shown() -> None:
    assert "engine" not in "".join(shown(state=State.COMPLETE, engine=LOOK))


def test_a_reason_is_no_markup() -> None:
    odd = Paused(what="engine", why="it said [/red] :x:", since=10000)
    assert "it said [/red] :x:" in "".join(shown(paused=(odd,)))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of two tasks in runs/night, stopped after one; the folder above is the current one."""
    monkeypatch.chdir(tmp_path)
    path = Path("runs/night")
    with RunFolder(path) as folder:
        folder.describe(suite="s", model="m", selected=["a", "b"], attempts=1, command=COMMAND)
        folder.event("began")
    finish(path, "a")
    return path


def finish(path: Path, task_id: str) -> None:
    with (path / "results.jsonl").open("a") as file:
        file.write(make_result(task_id=task_id).model_dump_json() + "\n")


def test_a_run_that_stopped_exits_with_3(run: Path) -> None:
    assert evalkit("status", str(run)).returncode == 3


def test_a_complete_run_exits_with_0(run: Path) -> None:
    finish(run, "b")
    assert evalkit("status", str(run)).returncode == 0


def test_a_running_run_exits_with_0(run: Path) -> None:
    with RunFolder(run, resume=True):
        assert evalkit("status", str(run)).returncode == 0


def test_a_folder_that_is_not_there_is_wrong_usage() -> None:
    assert evalkit("status", "runs/nothing").returncode == 2


def test_without_a_terminal_nothing_is_drawn(run: Path) -> None:
    assert "\x1b" not in evalkit("status", str(run)).stdout


def test_for_machines_it_is_one_json_object(run: Path) -> None:
    told = json.loads(evalkit("status", str(run), "--format", "json").stdout)
    assert (told["state"], told["finished"], told["planned"]) == ("stopped", 1, 2)


def test_for_machines_the_exit_code_is_the_same(run: Path) -> None:
    assert evalkit("status", str(run), "--format", "json").returncode == 3


def test_help_tells_the_exit_codes() -> None:
    words = " ".join(evalkit("status", "--help").stdout.split())
    assert "Exit codes: 0 running or complete, 3 stopped" in words


def on_the_page() -> list[str]:
    return re.findall(r"^    evalkit (status .*)$", (DOCS / "long-runs.md").read_text(), re.M)


@pytest.mark.parametrize("arguments", on_the_page())
def test_what_the_page_shows_can_be_typed(run: Path, arguments: str) -> None:
    done: Done = evalkit(*arguments.split())
    assert (done.returncode, done.stderr) == (3, "")
