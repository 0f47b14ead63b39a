"""The command line, without Docker or an engine."""

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from evalkit.cli import main
from tests.doubles.pro import write_pro_data


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def evalkit(*arguments: str) -> Done:
    stdout, stderr, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["evalkit", *arguments]
    try:
        with (
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
            pytest.raises(SystemExit) as left,
        ):
            main()
    finally:
        sys.argv = before
    return Done(int(left.value.code or 0), stdout.getvalue(), stderr.getvalue())


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--suite", "quickstart", "--dry-run"),
        ("run", "--suite", "quickstart", "--agent", "gold", "--dry-run"),
        ("run", "--suite", "quickstart", "--runner", "qwen3-coder-next-mini", "--dry-run"),
        ("suites",),
        ("runners",),
        ("agents",),
        ("--version",),
    ],
)
def test_succeeds(arguments: tuple[str, ...]) -> None:
    assert evalkit(*arguments).returncode == 0


def test_a_runner_that_is_served_elsewhere_is_listed_with_where() -> None:
    lines = evalkit("runners").stdout.splitlines()
    (docker,) = [line for line in lines if line.startswith("docker-model-runner")]
    assert "endpoint, http://localhost:12434/engines/v1, 65,536 tokens" in docker


def test_help_teaches_the_commands() -> None:
    assert "evalkit run --suite quickstart" in evalkit("--help").stdout


def test_a_dry_run_lists_the_tasks() -> None:
    shown = evalkit("run", "--suite", "quickstart", "--slice", ":2", "--dry-run").stdout
    assert shown.splitlines()[-2:] == ["  celsius-formula", "  leap-years"]


def test_a_key_of_the_suite_is_the_suites(tmp_path: Path) -> None:
    rows, scripts = write_pro_data(tmp_path)
    own = ("--set", f"suite.rows={rows}", "--set", f"suite.scripts={scripts}")
    shown = evalkit("run", "--suite", "swebench-pro", "--slice", ":1", "--dry-run", *own).stdout
    assert shown.splitlines()[-1].startswith("  instance_evalkit__shapes-")


def test_a_dry_run_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evalkit("run", "--suite", "quickstart", "--dry-run")
    assert list(tmp_path.iterdir()) == []


WRONG = {
    "suite": (("--suite", "quikstart"), "did you mean 'quickstart'?"),
    "runner": (("--suite", "quickstart", "--runner", "quick"), "did you mean 'quickstart'?"),
    "task": (
        ("--suite", "quickstart", "-i", "duration-minute"),
        "did you mean 'duration-minutes'?",
    ),
    "agent": (("--suite", "quickstart", "--agent", "golden"), "did you mean 'gold'?"),
    "key": (
        ("--suite", "quickstart", "--set", "limits.turn=3"),
        "did you mean 'limits.turns'?",
    ),
    "value": (("--suite", "quickstart", "--set", "limits.turns=many"), "limits.turns"),
    "suite key": (
        ("--suite", "swebench-pro", "--set", "suite.row=x"),
        "did you mean 'rows'?",
    ),
    "slice": (("--suite", "quickstart", "--slice", "x"), "--slice"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_name_exits_with_2(what: str) -> None:
    assert evalkit("run", *WRONG[what][0], "--dry-run").returncode == 2


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_name_is_told_in_one_line(what: str) -> None:
    done = evalkit("run", *WRONG[what][0], "--dry-run")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_name_is_told_with_the_right_one(what: str) -> None:
    arguments, told = WRONG[what]
    assert told in evalkit("run", *arguments, "--dry-run").stderr
