"""Under a published scaffold's prompt, results are told in its words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.agents.editor import Editor
from evalkit.agents.prompt import Prompt
from evalkit.agents.scaffold import scaffold_prompt
from evalkit.types import CommandResult
from tests.doubles.local_sandbox import LocalSandbox
from tests.doubles.scripted_model import SUBMIT, Converse, calls, says
from tests.doubles.swe_agent import write_swe_agent
from tests.doubles.tasks import make_task


@pytest.fixture
def prompt(tmp_path_factory: pytest.TempPathFactory) -> Prompt:
    return scaffold_prompt(write_swe_agent(tmp_path_factory.mktemp("checkout")))


@pytest.fixture
def told(converse: Converse, prompt: Prompt) -> Callable[[str], str]:
    """Return what a call of bash is answered with; 400 characters of it are shown."""

    def run(arguments: str) -> str:
        done = converse(calls(("bash", arguments)), SUBMIT, prompt=prompt)
        return done.last_observation()

    return run


def test_output_stands_in_its_template(told: Callable[[str], str]) -> None:
    assert told('{"command": "echo {{1}}"}') == "SEEN: {{1}}"


def test_no_exit_code_is_told(told: Callable[[str], str]) -> None:
    assert told('{"command": "echo no; exit 3"}') == "SEEN: no"


def test_silence_has_a_template(told: Callable[[str], str]) -> None:
    assert told('{"command": "echo"}') == "Nothing was seen."


def test_of_a_long_observation_the_head_is_shown(told: Callable[[str], str]) -> None:
    assert told('{"command": "printf %0450d 0"}') == f"SEEN: {'0' * 400} and 50 more than 400"


def test_a_malformed_call_is_answered_in_its_words(told: Callable[[str], str]) -> None:
    assert told("{}") == "Wrong: `command` is required for bash.\n"


def test_a_command_that_took_too_long_is_named(prompt: Prompt) -> None:
    result = CommandResult(output="half", exit_code=None, timed_out=True)
    assert prompt.words.ended("sleep 99", result, 33.0) == "'sleep 99' took over 33 s"


def test_a_turn_without_a_call_is_answered_in_its_words(converse: Converse, prompt: Prompt) -> None:
    done = converse(says("Hm."), SUBMIT, prompt=prompt)
    assert done.model.seen[-1][-1] == {"role": "user", "content": "Call something!"}


def test_the_conversation_opens_as_in_the_scaffold(
    converse: Converse, prompt: Prompt, tmp_path: Path
) -> None:
    opening = converse(SUBMIT, prompt=prompt).model.seen[0]
    assert opening[1]["content"] == f"Look in {tmp_path}. {make_task().problem}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Makefile"
    path.write_text("all:\n\ttrue\n")
    return path


def edit(file: Path, command: str, **arguments: object) -> str:
    editor = Editor(LocalSandbox(file.parent), as_published=True)
    return editor({"command": command, "path": str(file), **arguments})


def test_its_editor_shows_tabs_as_spaces(file: Path) -> None:
    assert edit(file, "view").splitlines()[1] == "     2\t        true"


@pytest.mark.parametrize("old", ["\ttrue", "        true"])
def test_its_editor_takes_spaces_for_tabs(file: Path, old: str) -> None:
    edit(file, "str_replace", old_str=old, new_str="\tfalse")
    assert file.read_text() == "all:\n        false\n"


def test_its_editor_inserts_into_spaces(file: Path) -> None:
    edit(file, "insert", insert_line=0, new_str="a:\tb")
    assert file.read_text() == "a:      b\nall:\n        true\n"


def test_its_editor_shows_the_beginning_of_a_long_file(file: Path) -> None:
    file.write_text("x" * 16001)
    shown, note = edit(file, "view").split("\n")
    assert (len(shown), note[:18]) == (16000 + 7, "<response clipped>")
