"""The run folder: one writer, appended and flushed line by line, valid at every instant."""

from evalkit.store.folder import RunFolder

__all__ = ["RunFolder"]
