from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.serving.log import EngineLog
from evalkit.serving.phases import Progress


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.log"


@pytest.fixture
def log(path: Path) -> Iterator[EngineLog]:
    path.write_text("ValueError: of an earlier start\n")
    opened = EngineLog(path)
    yield opened
    opened.close()


def write(path: Path, text: str) -> None:
    with path.open("a", newline="") as file:
        file.write(text)


def put_aside(path: Path) -> None:
    path.replace(path.with_name("engine.log.1"))


def test_what_stood_there_before_does_not_count(log: EngineLog, path: Path) -> None:
    write(path, "new\n")
    assert log.written() == "new"


def test_a_line_that_comes_in_two_parts_is_one(log: EngineLog, path: Path) -> None:
    write(path, "Loading safetensors checkpoint shards:  25% Comp")
    log.read()
    write(path, "leted | 1/4 [00:01<00:03]\n")
    log.read()
    assert log.progress == Progress("load", 0.25)


def test_a_bar_is_read_while_it_stands_in_one_line(log: EngineLog, path: Path) -> None:
    for share in ("  0%|   | 0/4 [", " 50%|#  | 2/4 [", " 75%|## | 3/4 ["):
        write(path, f"\rCapturing CUDA graphs (decode, FULL): {share}00:01<00:01]")
    log.read()
    assert log.progress == Progress("warm-up", 0.5)  # the last may be half a bar


def test_a_character_that_comes_in_two_parts_is_one(log: EngineLog, path: Path) -> None:
    for byte in "█".encode():
        with path.open("ab") as file:
            file.write(bytes([byte]))
        log.read()
    assert log.written() == "█"


def test_a_log_that_is_put_aside_is_read_to_its_end(log: EngineLog, path: Path) -> None:
    write(path, "first\n")
    log.read()
    write(path, "second\n")
    put_aside(path)
    write(path, "third\n")
    assert log.written() == "first\nsecond\nthird"


def test_a_log_that_is_put_aside_and_not_yet_made_anew_is_no_fault(
    log: EngineLog, path: Path
) -> None:
    write(path, "first\n")
    put_aside(path)
    log.read()
    write(path, "second\n")
    assert log.written() == "first\nsecond"


def test_it_goes_on_in_the_new_file(log: EngineLog, path: Path) -> None:
    put_aside(path)
    write(path, "one\n")
    log.read()
    write(path, "two\n")
    assert log.written() == "one\ntwo"


def test_the_errors_it_named_come_first_however_much_follows(log: EngineLog, path: Path) -> None:
    cause = "torch.OutOfMemoryError: CUDA out of memory."
    write(path, f"ERROR 11-25 10:09 [core.py:1] {cause}\n" + "more\n" * 1000)
    assert log.written().startswith("OutOfMemoryError: CUDA out of memory.\nmore\n")


def test_what_is_kept_of_a_long_log_is_bounded(log: EngineLog, path: Path) -> None:
    write(path, "".join(f"KeyError: {'x' * 5000}{number}\n" for number in range(1000)))
    assert len(log.written()) < 500_000


def test_what_was_read_is_known_after_it_was_closed(log: EngineLog, path: Path) -> None:
    write(path, "last words")
    log.close()
    assert log.written() == "last words"


def test_the_end_shows_the_first_error_where_it_stands_far_above(
    log: EngineLog, path: Path
) -> None:
    write(path, "WARNING this can cause OSError: too many open files\n")
    write(path, "ValueError: the real cause\nRuntimeError: what followed\n" + "more\n" * 40)
    assert log.end().splitlines()[0] == "first error: ValueError: the real cause"


def test_the_end_does_not_say_it_twice(log: EngineLog, path: Path) -> None:
    write(path, "ValueError: the real cause\n")
    assert log.end() == f"ValueError: the real cause\n(whole log: {path})"


@given(text=st.text(alphabet="ab:\r\n█ ", max_size=60), cuts=st.sets(st.integers(0, 120)))
def test_in_what_parts_a_log_is_read_makes_no_difference(
    tmp_path_factory: pytest.TempPathFactory, text: str, cuts: set[int]
) -> None:
    path = tmp_path_factory.mktemp("log") / "engine.log"
    data = text.encode()
    bounds = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    log = EngineLog(path)
    for begin, end in pairwise(bounds):
        with path.open("ab") as file:
            file.write(data[begin:end])
        log.read()
    log.close()
    lines = text.replace("\r", "\n").split("\n")
    assert log.written() == "\n".join(line for line in lines if line.strip()).strip()
