import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.doubles.model_hub import model_hub
from tests.doubles.pro_rows import RawRow

REVISION = "7ab5114912baf22bb098818e604c02fe7ad2c11f"
CODE = """
import json, sys
from pathlib import Path
from evalkit.errors import TaskError
from evalkit.suites.pro.rows import Dataset, load_rows
dataset = Dataset(name="Acme/Rocket_Bench", split="test", revision=sys.argv[1])
try:
    rows = load_rows(dataset, None, lambda line: None, Path(sys.argv[2]))
except TaskError as error:
    print(json.dumps([error.message, error.hint]))
else:
    print(json.dumps([row.patch for row in rows]))
"""
CARD = b"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: data/test-*\n---\n"


class Machine:
    """Loads rows in a process of its own: `datasets` reads the hub's address when imported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, revision: str, **environment: str) -> list[str]:
        settings = {"HF_HOME": str(self.folder / "hf"), "PATH": "/usr/bin:/bin"} | environment
        done = subprocess.run(
            [sys.executable, "-c", CODE, revision, str(self.folder / "cache")],
            env=settings,
            check=True,
            capture_output=True,
            text=True,
        )
        loaded: list[str] = json.loads(done.stdout)
        return loaded


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def _parquet(rows: list[dict[str, object]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def test_rows_come_from_the_hub_and_later_from_the_cache(machine: Machine, raw_row: RawRow) -> None:
    patch = "a\r\nb\rc\u2028 \n"
    files = {"README.md": CARD, "data/test-0.parquet": _parquet([raw_row(patch=patch)])}
    with model_hub("Acme/Rocket_Bench", REVISION, files) as url:
        first = machine.load(REVISION, HF_ENDPOINT=url)
    second = machine.load(REVISION, HF_ENDPOINT="http://127.0.0.1:9")
    assert (first, second) == ([patch], [patch])


def test_another_revision_is_not_taken_for_the_one_that_is_out_of_reach(
    machine: Machine, raw_row: RawRow
) -> None:
    files = {"README.md": CARD, "data/test-0.parquet": _parquet([raw_row()])}
    with model_hub("Acme/Rocket_Bench", REVISION, files) as url:
        machine.load(REVISION, HF_ENDPOINT=url)
    message, _ = machine.load("b" * 40, HF_HUB_OFFLINE="1")
    assert message.startswith(f"cannot get Acme/Rocket_Bench at {'b' * 40}")


def test_a_hub_out_of_reach_points_to_local_rows(machine: Machine) -> None:
    _, hint = machine.load(REVISION, HF_HUB_OFFLINE="1")
    assert "--set suite.rows=FILE" in hint
