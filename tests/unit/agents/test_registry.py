"""Agents are found by their entry points, ours as anyone's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.agents.registry import Unusable, choose_agent, installed_agents
from evalkit.cli.listing import list_agents
from evalkit.errors import ConfigError

GOOD = """
from contextlib import nullcontext
from evalkit.agents.fixed import NULL
from evalkit.agents.plugin import AgentPlugin
PLUGIN = AgentPlugin(what="does nothing", open=lambda _: nullcontext(NULL), needs_engine=False)
"""
LACKING = GOOD.replace("needs_engine=False", 'requires={"no_such_module": "pip install it"}')

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package with one agent, as pip would."""

    def install(name: str, source: str, package: str = "stranger") -> None:
        folder = tmp_path / package
        described = folder / f"{package}-1.0.dist-info"
        described.mkdir(parents=True)
        (folder / f"{package}_agent.py").write_text(source)
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        entry = f"[evalkit.agents]\n{name} = {package}_agent:PLUGIN\n"
        (described / "entry_points.txt").write_text(entry)
        monkeypatch.syspath_prepend(folder)

    return install


def why(name: str) -> str:
    found = installed_agents()[name]
    assert isinstance(found, Unusable)
    return found.why


@pytest.mark.parametrize("name", ["tools", "gold", "null", "replay", "mini-swe-agent"])
def test_ours_are_entry_points_too(name: str) -> None:
    assert name in installed_agents()


@pytest.mark.parametrize("name", ["tools", "gold", "null", "mini-swe-agent"])
def test_ours_can_be_chosen(name: str) -> None:
    assert choose_agent(name).name == name


def test_an_agent_of_another_package_can_be_chosen(install: Install) -> None:
    install("lazy", GOOD, "stranger_good")
    assert choose_agent("lazy").plugin.what == "does nothing"


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'mini-swe-agent'"):
        choose_agent("mini-swe")


def test_a_module_that_does_not_import_is_named_with_its_cause(install: Install) -> None:
    install("broken", "import no_such_module", "stranger_broken")
    assert why("broken") == (
        "stranger_broken_agent:PLUGIN: ModuleNotFoundError: No module named 'no_such_module'"
    )


def test_a_broken_agent_does_not_hide_the_others(install: Install) -> None:
    install("a-broken-one", "1 / 0", "stranger_zero")
    assert choose_agent("gold").name == "gold"


def test_a_broken_agent_cannot_be_chosen(install: Install) -> None:
    install("broken", "1 / 0", "stranger_chosen")
    with pytest.raises(ConfigError, match="ZeroDivisionError: division by zero"):
        choose_agent("broken")


def test_what_is_no_plugin_is_named_with_what_it_is(install: Install) -> None:
    install("odd", "PLUGIN = 3", "stranger_odd")
    assert why("odd") == "stranger_odd_agent:PLUGIN is no AgentPlugin but int"


def test_a_name_that_two_packages_offer_is_nobodys(install: Install) -> None:
    install("tools", GOOD, "stranger_twin")
    assert why("tools") == "two packages offer an agent of this name"


def test_what_an_agent_lacks_is_told_with_the_way_to_get_it(install: Install) -> None:
    install("lacking", LACKING, "stranger_lacking")
    with pytest.raises(ConfigError) as told:
        choose_agent("lacking")
    assert told.value.hint == "pip install it"


def test_an_argument_follows_a_colon() -> None:
    assert choose_agent("replay:runs/old:2").argument == "runs/old:2"


def test_an_argument_that_is_missing_is_told() -> None:
    with pytest.raises(ConfigError, match="--agent replay:RUN_DIR"):
        choose_agent("replay")


def test_an_argument_that_nobody_takes_is_refused() -> None:
    with pytest.raises(ConfigError, match="gold takes no argument"):
        choose_agent("gold:2")


LISTED = {
    "stranger_fine": (GOOD, "does nothing"),
    "stranger_bare": (LACKING, "does nothing (missing: pip install it)"),
    "stranger_torn": ("1 / 0", "cannot be used: stranger_torn_agent:PLUGIN: ZeroDivisionError"),
}


@pytest.mark.parametrize("package", LISTED)
def test_the_list_has_a_line_for_every_agent(
    install: Install, capsys: pytest.CaptureFixture[str], package: str
) -> None:
    source, told = LISTED[package]
    install("guest", source, package)
    list_agents()
    assert f"guest                {told}" in capsys.readouterr().out
