"""`evalkit compare`, as its user and a nightly job see it."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from evalkit.types import Outcome
from tests.doubles.sides import I, R, U, write_folder, write_turn
from tests.unit.cli.test_commands import evalkit

DOCS = Path(__file__).parents[3] / "docs"
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a run of 40 tasks, of which so many are resolved, others infra errors."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, resolved: int, broken: int = 0, **manifest: Any) -> str:
        outcomes = [R] * resolved + [U] * (40 - resolved - broken) + [I] * broken
        tasks: dict[str, Sequence[Outcome | None]] = {
            f"t{number:02}": [outcome] for number, outcome in enumerate(outcomes)
        }
        return str(write_folder(Path(name), tasks, **manifest))

    return run


@pytest.mark.parametrize(
    ("resolved", "broken", "code"), [(20, 0, 0), (12, 0, 1), (0, 40, 3), (18, 0, 4)]
)
def test_the_exit_code_is_the_gates(write: Write, resolved: int, broken: int, code: int) -> None:
    done = evalkit("compare", write("base", 20), write("new", resolved, broken))
    assert done.returncode == code


def test_the_answer_comes_first(write: Write) -> None:
    done = evalkit("compare", write("base", 20), write("new", 12))
    assert done.stdout.startswith("answer       FAILED (exit code 1)\n")


def test_what_it_could_have_seen_is_told(write: Write) -> None:
    done = evalkit("compare", write("base", 20), write("new", 20))
    assert re.search(r"^can see +a true drop of 12.5 points", done.stdout, re.MULTILINE)


def test_nights_are_pooled(write: Write) -> None:
    nights = [write(f"n{number}", 20) for number in range(3)]
    done = evalkit("compare", write("base", 20), *nights)
    assert "n0 and 2 more (m): 60 of 120 attempts" in done.stdout


def test_limits_can_be_set(write: Write) -> None:
    done = evalkit("compare", write("base", 20), write("new", 12), "--max-drop", "20")
    assert done.returncode == 0


def test_the_environment_can_set_them(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALKIT_COMPARE_MAX_DROP", "20")
    assert evalkit("compare", write("base", 20), write("new", 12)).returncode == 0


def test_a_slower_engine_fails_where_speed_is_asked_for(write: Write) -> None:
    base, new = write("base", 20), write("new", 20)
    write_turn(Path(base), 100, 10)
    write_turn(Path(new), 50, 10)
    assert evalkit("compare", base, new, "--min-speed", "0.9").returncode == 1


def test_infra_errors_spoil_it_where_few_are_allowed(write: Write) -> None:
    base, new = write("base", 20), write("new", 25, 1)
    assert evalkit("compare", base, new, "--max-infra", "2").returncode == 3


def test_for_machines_it_is_one_json_object(write: Write) -> None:
    done = evalkit("compare", write("base", 20), write("new", 12), "--format", "json")
    assert json.loads(done.stdout)["exit_code"] == done.returncode == 1


def test_junit_and_markdown_are_written_where_asked(write: Write) -> None:
    base, new = write("base", 20), write("new", 12)
    evalkit("compare", base, new, "--junit", "ci/a.xml", "--markdown", "ci/b.md")
    cases = len(list(ET.parse("ci/a.xml").iter("testcase")))
    assert (cases, Path("ci/b.md").read_text().splitlines()[0]) == (
        40,
        "## evalkit compare: failed",
    )


def test_a_file_that_cannot_be_written_is_named(write: Write) -> None:
    base, new = write("base", 20), write("new", 20)
    done = evalkit("compare", base, new, "--junit", "base/run.json/a.xml")
    assert (done.returncode, "cannot write base/run.json/a.xml" in done.stderr) == (3, True)


def _verdicts(folder: Path, name: str, resolved: bool) -> None:
    folder.mkdir(exist_ok=True)
    ids = [f"instance_a__b{number}-{'0' * 40}" for number in range(8)]
    (folder / f"{name}.json").write_text(json.dumps(dict.fromkeys(ids, resolved)))


BOTH = ("published:gpt-4o-paper", "published:gptoss-paper")


@pytest.fixture
def published(write: Write) -> Path:
    _verdicts(Path("verdicts"), "gpt-4o-paper", resolved=True)
    _verdicts(Path("verdicts"), "gptoss-paper", resolved=False)
    return Path("verdicts")


def test_published_runs_are_compared_from_a_local_folder(published: Path) -> None:
    done = evalkit("compare", *BOTH, "--published", str(published))
    assert "8 resolved by the base alone" in done.stdout


def test_the_folder_can_be_set_by_the_environment(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALKIT_COMPARE_PUBLISHED", str(published))
    assert evalkit("compare", *BOTH).returncode == 1


def test_their_caveats_are_printed(published: Path) -> None:
    done = evalkit("compare", *BOTH, "--published", str(published))
    assert len(re.findall("^caveat .*cost cap of 2 dollars", done.stdout, re.MULTILINE)) == 2


def test_another_revision_is_refused(write: Write) -> None:
    done = evalkit("compare", write("base", 20), write("new", 20, revision="2"))
    assert (done.returncode, "not of one suite and revision" in done.stderr) == (2, True)


def test_where_allowed_unchanged_tasks_are_compared_and_every_line_says_so(write: Write) -> None:
    revisions = ["same"] * 30 + ["changed"] * 10
    new = write("new", 20, revision="2", task_revisions=revisions)
    done = evalkit("compare", write("base", 20), new, "--allow-revision-mismatch")
    lines = [line for line in done.stdout.splitlines() if "unchanged tasks only" not in line]
    assert (lines, "30 compared, 10 left out" in done.stdout) == ([], True)


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("nowhere", "there is no run folder nowhere"),
        ("gpt-4o-paper", "did you mean published:gpt-4o-paper?"),
        ("published:gpt-4o", "did you mean 'gpt-4o-paper'"),
    ],
)
def test_what_is_not_there_is_wrong_usage(write: Write, base: str, told: str) -> None:
    done = evalkit("compare", base, write("new", 20))
    assert (done.returncode, told in done.stderr) == (2, True)


def test_a_damaged_folder_is_no_regression(write: Write) -> None:
    (Path(write("new", 20)) / "results.jsonl").write_text("{\n")
    done = evalkit("compare", write("base", 20), "new")
    assert (done.returncode, "results.jsonl line 1 is damaged" in done.stderr) == (3, True)


def on_the_page() -> list[str]:
    return re.findall(r"^\$ evalkit (compare .*)$", (DOCS / "compare.md").read_text(), re.M)


@pytest.mark.parametrize("arguments", on_the_page())
def test_what_the_page_shows_can_be_typed(
    write: Write, arguments: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("baseline", "tonight", "mon", "tue", "wed"):
        write_turn(Path(write(f"runs/{name}", 20)), 100, 10)
    for name in ("claude-45sonnet-10132025", "gpt-5-250-turns-10132025"):
        _verdicts(Path("verdicts"), name, resolved=True)
    monkeypatch.setenv("EVALKIT_COMPARE_PUBLISHED", "verdicts")
    done = evalkit(*arguments.split())
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_candidate_it_is_wrong_usage(write: Write) -> None:
    assert evalkit("compare", write("base", 20)).returncode == 2


@pytest.mark.parametrize("code", ["0 passed", "1 failed", "2 wrong usage", "3 spoiled", "4 incon"])
def test_help_tells_the_exit_codes(code: str) -> None:
    assert code in " ".join(evalkit("compare", "--help").stdout.split())
