"""Rows for the tests beside it."""

from tests.doubles.pro_rows import raw_row

__all__ = ["raw_row"]
