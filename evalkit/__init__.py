"""evalkit: how good is a coding model? Serve it, let it work, grade it with the real tests.

For notebooks: `load_run(path)` gives a run's tables, `charts` draws them.
"""

from typing import Any

__version__ = "0.1.0"
__all__ = ["charts", "load_run"]


def __getattr__(name: str) -> Any:
    """Import what notebooks use when it is asked for: pandas and matplotlib take a second."""
    if name == "load_run":
        from evalkit.reporting.frames import load_frames

        return load_frames
    if name == "charts":
        from evalkit.reporting import charts

        return charts
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
