import dataclasses
import subprocess
import sys

import pytest

from evalkit.sandbox.owner import Owner

HERE = Owner.here()


def test_a_label_reads_back() -> None:
    assert Owner.parse(HERE.label) == HERE


@pytest.mark.parametrize("label", ["", "a/b", "h/b/n/pid/1", "h/b/n/1/2/3"])
def test_another_text_is_no_owner(label: str) -> None:
    assert Owner.parse(label) is None


def test_a_living_process_is_not_dead() -> None:
    assert HERE.is_dead(HERE) is False


def test_a_process_that_ended_is_dead() -> None:
    code = "from evalkit.sandbox.owner import Owner; print(Owner.here().label)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    owner = Owner.parse(done.stdout.strip())
    assert owner is not None
    assert owner.is_dead(HERE)


@pytest.mark.row("G6")
def test_a_reused_pid_is_not_the_owner() -> None:
    assert dataclasses.replace(HERE, started=HERE.started - 1).is_dead(HERE)


def test_an_owner_before_the_last_boot_is_dead() -> None:
    assert dataclasses.replace(HERE, boot="earlier").is_dead(HERE)


@pytest.mark.row("G5")
@pytest.mark.parametrize("change", [{"host": "other", "boot": "x"}, {"namespace": "x", "pid": 1}])
def test_what_cannot_be_seen_from_here_is_not_dead(change: dict[str, str]) -> None:
    assert Owner(**{**dataclasses.asdict(HERE), **change}).is_dead(HERE) is False
