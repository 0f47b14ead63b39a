"""A run's charts as PNG files. Imports matplotlib: import it only where charts are drawn."""

from pathlib import Path

from evalkit.errors import StoreError
from evalkit.reporting.outcomes import outcomes
from evalkit.reporting.run import Run
from evalkit.reporting.speed import tokens_per_second
from evalkit.reporting.style import DPI

__all__ = ["outcomes", "tokens_per_second", "write_charts"]


def write_charts(run: Run, folder: Path) -> list[Path]:
    """Write the charts that the run has data for; return their paths.

    Raises StoreError where the folder cannot be written.
    """
    figures = {"outcomes.png": outcomes(run), "tokens_per_second.png": tokens_per_second(run)}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures.items():
            if figure is not None:
                figure.savefig(folder / name, dpi=DPI)
                written.append(folder / name)
    except OSError as error:
        raise StoreError(f"cannot write charts to {folder}: {error.strerror}") from error
    return written
