"""Rows from the model hub, by `datasets`: imported only where rows have to be fetched."""

import shutil
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from evalkit.errors import TaskError
from evalkit.sources import fetched_once
from evalkit.types import Record


class Dataset(Record):
    """Where the rows lie on the model hub."""

    name: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    split: str = Field(pattern=r"^\w+$")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")


def fetch_dataset(dataset: Dataset, cache: Path, say: Callable[[str], None]) -> Path:
    """Return a Parquet file of the split at the pinned revision, fetched once.

    Later runs ask the hub nothing. Raises TaskError where the rows cannot be had, SourceError where
    they cannot be kept.
    """
    folder = cache / "swebench-pro" / f"rows-{dataset.split}-{dataset.revision}"

    def fetch(aside: Path) -> None:
        say(f"fetching {dataset.name} at {dataset.revision[:12]}, once")
        _download(dataset, aside)

    return fetched_once(folder, fetch) / "rows.parquet"


def _download(dataset: Dataset, folder: Path) -> None:
    import datasets
    from datasets.exceptions import DatasetsError

    datasets.disable_progress_bars()  # only the command line writes to the terminal
    # Out of reach of the hub, `datasets` takes the newest copy it has, whatever its revision: in
    # a new folder it has none.
    copies = folder / "datasets"
    try:
        table = datasets.load_dataset(
            dataset.name, split=dataset.split, revision=dataset.revision, cache_dir=str(copies)
        )
        table.to_parquet(str(folder / "rows.parquet"))
    except (OSError, ValueError, DatasetsError) as error:
        raise TaskError(
            f"cannot get {dataset.name} at {dataset.revision}: {error}",
            hint="--set suite.rows=FILE reads the same columns from JSONL, JSON, CSV or Parquet",
        ) from error
    shutil.rmtree(copies)
