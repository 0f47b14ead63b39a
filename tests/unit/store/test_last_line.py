"""The last line of a file that may be long, and may have been cut off."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.errors import StoreError
from evalkit.store.lines import last_line

LINES = st.binary(max_size=8).map(lambda line: line.replace(b"\n", b" "))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(LINES, st.sampled_from([1, 5_000, 40_000]))), torn=LINES)
def test_of_whole_lines_it_is_the_last(
    tmp_path: Path, lines: list[tuple[bytes, int]], torn: bytes
) -> None:
    path = tmp_path / "lines"
    whole = [line * times for line, times in lines]
    path.write_bytes(b"".join(line + b"\n" for line in whole) + torn)
    assert last_line(path) == (whole or [b""])[-1]


def test_of_a_long_torn_line_it_is_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"whole\n" + b"x" * 300_000)
    assert last_line(path) == b"whole"


def test_of_no_file_there_is_none(tmp_path: Path) -> None:
    assert last_line(tmp_path / "none") == b""


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"cannot read {tmp_path}: Is a directory"):
        last_line(tmp_path)
