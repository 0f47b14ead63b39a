"""Which tasks a run takes."""

from pathlib import Path

import pytest

from evalkit.cli.select import Selection, excluded, select
from evalkit.errors import ConfigError
from tests.doubles.tasks import make_task

TASKS = [make_task(id=name) for name in ("alpha", "beta", "gamma", "delta")]


def chosen(**filters: object) -> list[str]:
    return [task.id for task in select(TASKS, Selection.model_validate(filters))]


def test_all_are_taken_in_order() -> None:
    assert chosen() == ["alpha", "beta", "gamma", "delta"]


def test_ids_are_taken_as_named() -> None:
    assert chosen(ids=("gamma", "alpha")) == ["gamma", "alpha"]


def test_an_unknown_id_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'gamma'"):
        chosen(ids=("gama",))


def test_a_filter_takes_ids_that_match() -> None:
    assert chosen(pattern="^.e") == ["beta", "delta"]


def test_a_slice_takes_a_range() -> None:
    assert chosen(part="1:3") == ["beta", "gamma"]


@pytest.mark.parametrize("part", ["1", "a:b", "1:2:3"])
def test_a_slice_of_another_form_is_refused(part: str) -> None:
    with pytest.raises(ConfigError, match="--slice"):
        chosen(part=part)


def test_a_filter_that_is_no_regex_is_refused() -> None:
    with pytest.raises(ConfigError, match="--filter"):
        chosen(pattern="(")


def test_excluded_ids_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("alpha\ndelta\n")
    assert chosen(exclude=tmp_path / "bad") == ["beta", "gamma"]


def test_an_exclude_file_may_say_why(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("alpha  # its gold patch fails\n# all of them\n")
    assert chosen(exclude=tmp_path / "bad") == ["beta", "gamma", "delta"]


def test_of_an_exclude_file_those_of_the_suite_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text("delta\nnobody\nalpha\n")
    assert excluded(TASKS, Selection(exclude=tmp_path / "bad")) == ("alpha", "delta")


def test_a_shuffle_is_the_same_for_the_same_seed() -> None:
    assert chosen(shuffle=7) == chosen(shuffle=7) != chosen()


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no task"):
        chosen(pattern="zeta")
