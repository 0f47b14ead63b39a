"""What a later session finds in a run folder, whatever ended the one before."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import StoreError
from evalkit.store import RunFolder
from evalkit.types import EngineSample, Result, RolledOut
from tests.doubles.finished import make_finished, make_rolled

ANY_TEXT = st.text(max_size=40)
HALVES = st.text(alphabet=st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF), min_size=1)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def run_folder(path: Path) -> Path:
    with RunFolder(path) as folder:
        folder.describe(model="m")
    return path


@SHARED
@given(texts=st.lists(ANY_TEXT, max_size=4), data=st.data())
def test_a_file_cut_anywhere_goes_on_after_its_last_whole_line(
    tmp_path: Path, texts: list[str], data: st.DataObject
) -> None:
    path = tmp_path / "events.jsonl"
    content = b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts)
    kept = content[: data.draw(st.integers(0, len(content)))]
    path.write_bytes(kept)
    with RunFolder(tmp_path, resume=True) as folder:
        folder.event("new")
    *before, last = path.read_bytes().splitlines(keepends=True)
    whole = kept[: kept.rfind(b"\n") + 1]
    assert (b"".join(before), json.loads(last)["kind"]) == (whole, "new")


APPENDS: dict[str, Callable[[RunFolder], None]] = {
    "events.jsonl": lambda folder: folder.event("new"),
    "results.jsonl": lambda folder: folder.finish(make_finished()),
    "engine.jsonl": lambda folder: folder.engine_sample(EngineSample(t=1.0)),
}


@pytest.mark.parametrize("name", APPENDS)
def test_no_file_goes_on_behind_half_a_line(tmp_path: Path, name: str) -> None:
    path = run_folder(tmp_path) / name
    path.write_bytes(b'{"half": "a li')
    with RunFolder(tmp_path, resume=True) as folder:
        APPENDS[name](folder)
    assert b"half" not in path.read_bytes()


def test_half_a_line_longer_than_any_buffer_goes_too(tmp_path: Path) -> None:
    path = run_folder(tmp_path) / "events.jsonl"
    path.write_bytes(b"{}\n" + b"x" * 10_000)
    with RunFolder(tmp_path, resume=True):
        assert path.read_bytes() == b"{}\n"


def make_line(text: str = "") -> bytes:
    return make_finished(error=text).result.model_dump_json().encode()


def not_an_object(line: bytes) -> bool:
    try:
        return not isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return True


DAMAGE = st.binary(max_size=80).filter(lambda line: b"\n" not in line and not_an_object(line))


@SHARED
@given(damage=DAMAGE, place=st.integers(0, 3))
def test_a_damaged_line_is_named(tmp_path: Path, damage: bytes, place: int) -> None:
    lines = [make_line()] * 4
    lines[place] = damage
    (tmp_path / "results.jsonl").write_bytes(b"\n".join([*lines, b""]))
    with (
        RunFolder(tmp_path, resume=True) as folder,
        pytest.raises(StoreError, match=rf"results\.jsonl line {place + 1} is damaged"),
    ):
        folder.results()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(make_line() + make_line(), id="lost newline"),
        pytest.param(make_line()[:40] + bytes(40) + make_line()[80:], id="page of zeros"),
        pytest.param(b'{"a":' * 5000, id="nested without end"),
        pytest.param(make_line().replace(b'"turns"', b'"turn"'), id="unknown key"),
        pytest.param(make_line().replace(b'"unresolved"', b'"unres"'), id="unknown word"),
    ],
)
def test_a_line_that_is_no_result_is_named(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "results.jsonl").write_bytes(b"\n".join([make_line(), damage, b""]))
    with (
        RunFolder(tmp_path, resume=True) as folder,
        pytest.raises(StoreError, match=r"results\.jsonl line 2 is damaged"),
    ):
        folder.results()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_manifest_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"run\.json is damaged"):
        RunFolder(tmp_path, resume=True).__enter__()


def test_attempts_of_which_nobody_knows_the_conditions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    with pytest.raises(StoreError, match=r"holds no run\.json"):
        RunFolder(tmp_path, resume=True).__enter__()


def test_a_refused_folder_is_free_for_others(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b"{")
    with pytest.raises(StoreError):
        RunFolder(tmp_path, resume=True).__enter__()
    (tmp_path / "run.json").unlink()
    with RunFolder(tmp_path) as folder:
        assert folder.manifest == {}


def test_facts_of_an_earlier_session_stay(tmp_path: Path) -> None:
    run_folder(tmp_path)
    with RunFolder(tmp_path, resume=True) as folder:
        folder.describe(suite="s")
    assert json.loads((tmp_path / "run.json").read_text()) == {"model": "m", "suite": "s"}


def tries(folder: RunFolder, count: int, attempt: int = 1) -> None:
    for number in range(1, count + 1):
        folder.trajectory("demo", attempt)({"try": number})


def kept_tries(folder: RunFolder) -> dict[str, int]:
    return {
        path.parent.name: json.loads(path.read_text())["try"]
        for path in folder.path.glob("tasks/demo/*/trajectory.jsonl")
    }


def test_earlier_tries_are_set_aside_in_their_order(folder: RunFolder) -> None:
    tries(folder, 3)
    assert kept_tries(folder) == {"1.1": 1, "1.2": 2, "1": 3}


def test_where_a_try_was_removed_none_takes_the_place_of_another(folder: RunFolder) -> None:
    tries(folder, 3)
    (folder.path / "tasks/demo/1.1/trajectory.jsonl").unlink()
    (folder.path / "tasks/demo/1.1").rmdir()
    folder.trajectory("demo", 1)({"try": 4})
    assert kept_tries(folder) == {"1.2": 2, "1.3": 3, "1": 4}


def test_tries_of_one_attempt_are_none_of_anothers(folder: RunFolder) -> None:
    tries(folder, 2, attempt=11)
    tries(folder, 2)
    assert kept_tries(folder) == {"11.1": 1, "11": 2, "1.1": 1, "1": 2}


def roll_out(folder: RunFolder, rolled: RolledOut) -> None:
    folder.trajectory("demo", 1)({"kind": "turn"})
    folder.roll_out(rolled)


@SHARED
@given(patch=ANY_TEXT, detail=ANY_TEXT)
def test_a_rollout_comes_back_as_it_was(folder: RunFolder, patch: str, detail: str) -> None:
    rolled = make_rolled(patch, detail=detail)
    roll_out(folder, rolled)
    assert folder.rolled_out("demo", 1) == rolled


@settings(parent=SHARED, max_examples=10)
@given(half=HALVES)
def test_a_rollout_with_half_a_character_is_kept(folder: RunFolder, half: str) -> None:
    roll_out(folder, make_rolled(f"+{half}"))
    kept = folder.rolled_out("demo", 1)
    assert kept == make_rolled("+" + "?" * len(half))


def test_a_rollout_without_an_end_is_none(folder: RunFolder) -> None:
    folder.trajectory("demo", 1)
    assert folder.rolled_out("demo", 1) is None


def test_a_rollout_whose_end_is_torn_has_none(folder: RunFolder) -> None:
    roll_out(folder, make_rolled())
    path = folder.path / "tasks/demo/1/trajectory.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert folder.rolled_out("demo", 1) is None


def test_a_damaged_rollout_is_named(folder: RunFolder) -> None:
    roll_out(folder, make_rolled())
    path = folder.path / "tasks/demo/1/trajectory.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"patch"', b'"path"'))
    damage = r"1/trajectory\.jsonl last line is damaged: rollout\.submission\.patch"
    with pytest.raises(StoreError, match=damage):
        folder.rolled_out("demo", 1)


def graded(folder: RunFolder) -> tuple[Path, Result]:
    folder.finish(make_finished())
    return folder.path / "tasks/demo/1/patch.diff", folder.results()["demo", 1]


def test_a_patch_that_is_not_what_was_graded_is_named(folder: RunFolder) -> None:
    path, result = graded(folder)
    path.write_text("another\n")
    with pytest.raises(StoreError, match=r"demo/1/patch\.diff is damaged"):
        folder.patch(result)


def test_a_patch_that_was_graded_and_is_gone_is_named(folder: RunFolder) -> None:
    path, result = graded(folder)
    path.unlink()
    with pytest.raises(StoreError, match=r"demo/1/patch\.diff.* is gone"):
        folder.patch(result)


def test_a_file_that_cannot_be_read_is_named(folder: RunFolder) -> None:
    path, result = graded(folder)
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match=r"cannot read .*/patch\.diff"):
        folder.patch(result)


def test_a_replacement_that_a_kill_broke_off_is_in_nobodys_way(folder: RunFolder) -> None:
    (folder.path / ".run.json.new").write_bytes(b'{"half')
    folder.describe(suite="s")
    assert json.loads((folder.path / "run.json").read_text()) == {"model": "m", "suite": "s"}
