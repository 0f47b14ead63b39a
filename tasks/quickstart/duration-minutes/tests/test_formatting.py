import pytest

from durations import format_clock, format_duration, parse


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0, "0s", id="zero"),
        pytest.param(45, "45s", id="seconds"),
        pytest.param(90, "1m30s", id="minutes"),
        pytest.param(5405, "1h30m5s", id="hours"),
        pytest.param(7200, "2h", id="no-zero-units"),
        pytest.param(788645, "1w2d3h4m5s", id="every-unit"),
        pytest.param(60, "1m", id="one-minute"),
        pytest.param(3600, "1h", id="one-hour"),
        pytest.param(86400, "1d", id="one-day"),
        pytest.param(604800, "1w", id="one-week"),
        pytest.param(3660, "1h1m", id="one-hour-one-minute"),
        pytest.param(86460, "1d1m", id="one-day-one-minute"),
        pytest.param(59, "59s", id="just-under-a-minute"),
        pytest.param(61, "1m1s", id="just-over-a-minute"),
        pytest.param(3599, "59m59s", id="just-under-an-hour"),
    ],
)
def test_format_duration(seconds, text):
    assert format_duration(seconds) == text


def test_format_duration_refuses_negative():
    with pytest.raises(ValueError, match="negative"):
        format_duration(-1)


@pytest.mark.parametrize("seconds", [1, 59, 60, 61, 3600, 3599, 3725, 100000])
def test_parse_reads_what_was_formatted(seconds):
    assert parse(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0, "0:00", id="zero"),
        pytest.param(65, "1:05", id="minutes"),
        pytest.param(3600, "1:00:00", id="hour"),
    ],
)
def test_format_clock(seconds, text):
    assert format_clock(seconds) == text
