import pytest

from textfit import truncate, truncate_middle


def test_short_text_is_left_alone():
    assert truncate("short", 10) == "short"


def test_text_of_exactly_the_width_is_left_alone():
    assert truncate("0123456789", 10) == "0123456789"


def test_cut_text_ends_in_an_ellipsis():
    assert truncate("The quick brown fox", 12).endswith("...")


def test_cut_text_starts_like_the_original():
    assert truncate("The quick brown fox", 12).startswith("The quick")


def test_no_room_for_the_ellipsis():
    with pytest.raises(ValueError, match="no room"):
        truncate("The quick brown fox", 2)


def test_middle_is_left_out():
    assert truncate_middle("/home/mina/notes/today.txt", 15) == "/home/...ay.txt"


def test_middle_of_short_text_stays():
    assert truncate_middle("today.txt", 15) == "today.txt"


@pytest.mark.parametrize(
    ("width", "shortened"),
    [
        pytest.param(12, "The quick...", id="at-a-word-end"),
        pytest.param(11, "The quic...", id="inside-a-word"),
        pytest.param(13, "The quick...", id="after-a-blank"),
        pytest.param(18, "The quick brown...", id="one-too-many"),
        pytest.param(3, "...", id="ellipsis-alone"),
    ],
)
def test_the_ellipsis_is_part_of_the_width(width, shortened):
    assert truncate("The quick brown fox", width) == shortened


def test_own_ellipsis_is_part_of_the_width():
    assert (
        truncate("A title of twenty-four chars", 20, ellipsis=" [more]") == "A title of tw [more]"
    )


def test_empty_ellipsis_cuts_at_the_width():
    assert truncate("The quick brown fox", 5, ellipsis="") == "The q"
