import pytest

from degrees import convert


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        pytest.param(100, "C", "F", 212, id="celsius-to-fahrenheit"),
        pytest.param(20, "C", "K", 293.15, id="celsius-to-kelvin"),
        pytest.param(273.15, "K", "F", 32, id="kelvin-to-fahrenheit"),
        pytest.param(21, "C", "C", 21, id="same-scale"),
    ],
)
def test_convert(value, source, target, expected):
    assert convert(value, source, target) == pytest.approx(expected)


def test_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="unknown scale"):
        convert(1, "C", "X")


def test_fahrenheit_to_celsius():
    assert convert(212, "F", "C") == pytest.approx(100)


def test_fahrenheit_to_kelvin():
    assert convert(212, "F", "K") == pytest.approx(373.15)
