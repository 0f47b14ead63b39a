import pytest

from degrees import celsius_to_fahrenheit, fahrenheit_to_celsius


@pytest.mark.parametrize(
    ("celsius", "fahrenheit"),
    [
        pytest.param(0, 32, id="freezing"),
        pytest.param(37, 98.6, id="body"),
        pytest.param(100, 212, id="boiling"),
    ],
)
def test_celsius_to_fahrenheit(celsius, fahrenheit):
    assert celsius_to_fahrenheit(celsius) == pytest.approx(fahrenheit)


def test_water_freezes_at_zero_celsius():
    assert fahrenheit_to_celsius(32) == 0


@pytest.mark.parametrize(
    ("fahrenheit", "celsius"),
    [
        pytest.param(212, 100, id="boiling"),
        pytest.param(98.6, 37, id="body"),
        pytest.param(50, 10, id="cool"),
        pytest.param(-40, -40, id="where-scales-meet"),
    ],
)
def test_fahrenheit_to_celsius(fahrenheit, celsius):
    assert fahrenheit_to_celsius(fahrenheit) == pytest.approx(celsius)


def test_there_and_back():
    assert fahrenheit_to_celsius(celsius_to_fahrenheit(21.5)) == pytest.approx(21.5)
