from io import StringIO

from rich.console import Console

from evalkit.cli.starting import starting


def test_elsewhere_than_on_a_terminal_each_phase_is_a_line() -> None:
    shown = StringIO()
    tell = starting(Console(file=shown), on_terminal=False)
    for phase, share in (("load", 0.1), ("load", 0.9), ("compile", None), ("ready", None)):
        tell(phase, share)
    assert shown.getvalue() == "engine: load\nengine: compile\n"


def test_on_a_terminal_a_bar_shows_how_far_it_is() -> None:
    shown = StringIO()
    tell = starting(Console(file=shown, force_terminal=True, width=100), on_terminal=True)
    tell("load", 0.25)
    tell("ready", None)
    assert "engine: load" in shown.getvalue()


def test_a_second_start_has_a_bar_of_its_own() -> None:
    shown = StringIO()
    tell = starting(Console(file=shown, force_terminal=True, width=100), on_terminal=True)
    for phase in ("load", "ready", "warm-up", "ready"):
        tell(phase, None)
    assert "engine: warm-up" in shown.getvalue()
