import pytest

from textfit import render_table


def test_short_cells_are_padded():
    assert render_table([["id", "name"], ["1", "Ada"]], [4, 6]) == "id    name\n1     Ada"


def test_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="columns"):
        render_table([["1", "Ada", "x"]], [4, 6])


def test_long_cell_leaves_the_next_column_in_place():
    table = render_table([["a very long name", "1"], ["short", "2"]], [8, 3])
    assert table == "a ver...  1\nshort     2"
