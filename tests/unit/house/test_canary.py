"""The file on the host that attacks must leave alone notices when one does not."""

import os
from pathlib import Path

import pytest

from tests.doubles.canary import Canary


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    folder = tmp_path / "host"
    folder.mkdir()
    return Canary(folder)


def test_left_alone_it_is_untouched(canary: Canary) -> None:
    assert [canary.untouched(), canary.untouched()] == [True, True]


def test_a_change_is_noticed(canary: Canary) -> None:
    canary.path.write_text(canary.secret)
    assert not canary.untouched()


def test_a_new_mode_is_noticed(canary: Canary) -> None:
    canary.path.chmod(0o644)
    assert not canary.untouched()


def test_a_file_beside_it_is_noticed(canary: Canary) -> None:
    (canary.path.parent / "ran").touch()
    assert not canary.untouched()


def test_a_second_name_is_noticed(canary: Canary, tmp_path: Path) -> None:
    os.link(canary.path, tmp_path / "link")
    assert not canary.untouched()


def test_a_copy_is_found(canary: Canary, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"x{canary.secret}y")
    assert canary.copies(tmp_path) == [tmp_path / "log"]


def test_an_artefact_that_holds_the_secret_is_refused(canary: Canary) -> None:
    with pytest.raises(AssertionError):
        canary.absent_from(["x", canary.secret.encode()])
