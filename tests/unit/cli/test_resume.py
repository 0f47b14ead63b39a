"""Under which conditions a run is gone on with, and what run.json says of it then."""

from pathlib import Path
from typing import Any

import pytest

from evalkit.cli.resume import agreed, resume_command, run_folder
from evalkit.errors import ConfigError
from evalkit.store import RunFolder


def now(started: float = 2.0, **changes: Any) -> dict[str, Any]:
    plain = {
        "run_id": f"r{started}",
        "suite": "s",
        "agent": "tools",
        "selected": ["demo"],
        "attempts": 2,
        "started": started,
    }
    return plain | changes


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A run that was begun, and left two attempts."""
    with RunFolder(tmp_path / "run") as folder:
        folder.describe(**agreed(folder, now(1.0), allow_changes=False))
        folder.trajectory("demo", 1)
        folder.trajectory("demo", 1)
        folder.trajectory("demo", 2)
    return tmp_path / "run"


def resumed(path: Path, *, allow_changes: bool = False, **changes: Any) -> dict[str, Any]:
    with RunFolder(path, resume=True) as folder:
        manifest = agreed(folder, now(**changes), allow_changes=allow_changes)
        folder.describe(**manifest)
        return manifest


def test_a_run_keeps_its_name(begun: Path) -> None:
    assert resumed(begun)["run_id"] == "r1.0"


def test_every_session_is_noted(begun: Path) -> None:
    resumed(begun)
    assert resumed(begun, started=3.0)["sessions"] == [1.0, 2.0, 3.0]


def test_under_other_conditions_it_is_refused_with_the_difference(begun: Path) -> None:
    with pytest.raises(ConfigError, match="agent: tools -> mini"):
        resumed(begun, agent="mini")


def test_with_other_tasks_it_is_refused(begun: Path) -> None:
    with pytest.raises(ConfigError, match="selected: 1 of them -> 0 of them"):
        resumed(begun, selected=[])


def test_the_refusal_names_the_way_out(begun: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        resumed(begun, agent="mini")
    assert "--allow-changes" in refused.value.hint


def test_under_allowed_changes_attempts_are_numbered_on(begun: Path) -> None:
    assert resumed(begun, allow_changes=True, agent="mini")["first_attempt"] == 3


def test_allowed_changes_are_kept(begun: Path) -> None:
    (page,) = resumed(begun, allow_changes=True, agent="mini")["earlier"]
    assert (page["changes"], page["agent"]) == (["agent: tools -> mini"], "tools")


def test_more_attempts_under_equal_conditions_count_with_the_old(begun: Path) -> None:
    manifest = resumed(begun, allow_changes=True, attempts=5)
    assert (manifest["first_attempt"], manifest["attempts"]) == (1, 5)


def test_the_change_lasts_through_further_sessions(begun: Path) -> None:
    resumed(begun, allow_changes=True, agent="mini")
    assert resumed(begun, started=3.0, agent="mini")["first_attempt"] == 3


def test_what_counts_since_a_change_is_noted(begun: Path) -> None:
    resumed(begun, allow_changes=True, agent="mini")
    assert resumed(begun, started=3.0, agent="mini")["since"] == 2.0


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        (["run", "--suite", "s"], "evalkit run --suite s -o 'my run' --resume"),
        (["run", "-o", "my run", "--resume"], "evalkit run -o 'my run' --resume"),
        (["run", "-o", "r", "--allow-changes"], "evalkit run -o r --resume"),
        (["run", "--filter", "a b"], "evalkit run --filter 'a b' -o 'my run' --resume"),
    ],
)
def test_the_command_that_goes_on(typed: list[str], printed: str) -> None:
    assert resume_command(Path("my run"), typed) == printed


def test_what_is_to_be_resumed_must_be_named() -> None:
    with pytest.raises(ConfigError, match="--resume needs the run's folder"):
        run_folder(None, "r", resume=True)
