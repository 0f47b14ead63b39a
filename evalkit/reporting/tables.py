"""A run's frames as files. Imports pandas: import it only where they are written."""

from pathlib import Path

from evalkit.reporting.frames import Frames
from evalkit.reporting.host_paths import without_host_paths
from evalkit.store.files import store_errors

TABLES = ("attempts.csv", "attempts.parquet", "turns.parquet")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_HOST_SIDE = ("reason", "error")


def write_tables(frames: Frames, folder: Path) -> None:
    """Write attempts.csv, attempts.parquet and turns.parquet.

    Raises StoreError where the folder cannot be written.
    """
    attempts = frames.attempts.copy()
    for name in _HOST_SIDE:
        attempts[name] = attempts[name].map(without_host_paths, na_action="ignore")
    with store_errors(folder):
        attempts.to_parquet(folder / "attempts.parquet", index=False)
        frames.turns.to_parquet(folder / "turns.parquet", index=False)
        sheet = attempts.map(inert, na_action="ignore")
        # RFC 4180 line ends; with them a lone carriage return in a cell is quoted, too.
        sheet.to_csv(folder / "attempts.csv", index=False, lineterminator="\r\n")


def inert(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: such a text gets a `'` before it.

    One that begins with `'` gets another, so that to take the first away gives the text back.
    The characters are those of OWASP's page on CSV injection, full width included.
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
