from collections.abc import Iterator

import pytest

from tests.doubles.pro_rows import raw_row
from tests.doubles.sessions import Sessions, sessions

__all__ = ["raw_row"]


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """Begins sessions of synthetic runs."""
    with sessions(tmp_path_factory.mktemp("sessions") / "log") as forks:
        yield forks
