"""The published scaffold's prompt is read from a checkout of it."""

import subprocess
from pathlib import Path

import pytest

from evalkit.agents.prompt import Prompt
from evalkit.agents.scaffold import open_prompt, scaffold_prompt
from evalkit.config.runner import AgentConfig
from evalkit.errors import ConfigError, SourceError
from tests.doubles.swe_agent import write_swe_agent

COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return write_swe_agent(tmp_path / "checkout")


@pytest.fixture
def prompt(checkout: Path) -> Prompt:
    return scaffold_prompt(checkout)


def change(checkout: Path, path: str, old: str, new: str) -> Path:
    text = (checkout / path).read_text()
    assert old in text
    (checkout / path).write_text(text.replace(old, new))
    return checkout


def test_the_system_message_is_the_scaffolds(prompt: Prompt) -> None:
    assert prompt.system == "You mend things."


def test_the_first_message_is_filled_in(prompt: Prompt) -> None:
    opening = prompt.opening(problem="Mend {{x}}.", workdir="/app", overview="")
    assert opening == "Look in /app. Mend {{x}}."


def test_no_command_is_run_beforehand(prompt: Prompt) -> None:
    assert prompt.overview == ""


def test_bash_comes_first_then_the_bundles_tools(prompt: Prompt) -> None:
    assert prompt.tool_names() == ["bash", "str_replace_editor", "submit"]


def test_the_bash_tool_is_the_one_in_its_source(prompt: Prompt) -> None:
    command = {"type": "string", "description": "What to run."}
    assert prompt.tools[0] == {
        "type": "function",
        "function": {
            "name": "bash",
            "description": "runs it",
            "parameters": {
                "type": "object",
                "properties": {"command": command},
                "required": ["command"],
            },
        },
    }


def test_arguments_keep_their_kind(prompt: Prompt) -> None:
    parameters = prompt.parameters("str_replace_editor") or {}
    assert parameters["properties"]["view_range"] == {
        "type": "array",
        "description": "Which lines.",
        "items": {"type": "integer"},
    }


def test_required_arguments_are_named(prompt: Prompt) -> None:
    assert (prompt.parameters("str_replace_editor") or {})["required"] == ["command", "path"]


def test_the_words_for_a_turn_without_a_call_are_the_scaffolds(prompt: Prompt) -> None:
    assert prompt.no_call == "Call something!"


def test_its_timeout_and_length_hold_where_the_runner_is_silent(prompt: Prompt) -> None:
    settled = prompt.settle(AgentConfig())
    assert (settled.command_timeout_s, settled.observation_chars) == (33, 1000)


def test_what_the_runner_says_holds(prompt: Prompt) -> None:
    assert prompt.settle(AgentConfig(command_timeout_s=120)).command_timeout_s == 120


def test_our_own_prompts_leave_the_runner_alone() -> None:
    assert Prompt.load("default").settle(AgentConfig()) == AgentConfig()


def test_a_repository_that_holds_the_scaffold_is_read_too(tmp_path: Path, prompt: Prompt) -> None:
    write_swe_agent(tmp_path / "pro" / "SWE-agent")
    assert scaffold_prompt(tmp_path / "pro") == prompt


def test_a_change_of_one_word_shows_in_the_hash(checkout: Path, prompt: Prompt) -> None:
    change(checkout, "tools/submit/config.yaml", "hands in", "gives in")
    assert scaffold_prompt(checkout).sha256 != prompt.sha256


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("config/tool_use.yaml", "tools/submit", "tools/review_on_submit_m", "does not know the"),
        ("config/tool_use.yaml", "    execution", "    filter: {}\n    execution", "filter"),
        ("config/tool_use.yaml", "function_calling", "xml", "type"),
        ("config/tool_use.yaml", "mend things", "mend {{things}}", "asks for .'things'"),
        ("config/tool_use.yaml", "{{working_dir}}", "{{working_dir", "is no jinja2 template"),
        ("tools/submit/config.yaml", "signature", "sign", "sign"),
        ("sweagent/agent/agents.py", "1_000", "limit()", "no plain value to TemplateConfig.max_"),
        ("sweagent/agent/agents.py", "1_000", '"long"', "no int to TemplateConfig.max_"),
        ("sweagent/tools/commands.py", "BASH_COMMAND", "SH", "no plain value to BASH_COMMAND"),
        ("sweagent/tools/parsing.py", "class", "klass", "no plain value to FunctionCallingParser"),
    ],
)
def test_what_cannot_be_honoured_is_refused(
    checkout: Path, path: str, old: str, new: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        scaffold_prompt(change(checkout, path, old, new))


def test_a_folder_without_the_scaffold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no SWE-agent with config/tool_use\.yaml"):
        scaffold_prompt(tmp_path)


@pytest.mark.parametrize("commit", ["", "main", COMMIT[:7], COMMIT.upper()])
def test_a_commit_is_named_whole(tmp_path: Path, commit: str) -> None:
    with pytest.raises(ConfigError, match="whole commit: 40 hex digits"):
        open_prompt(AgentConfig(prompt=f"sweagent@{commit}"), tmp_path, print)


def test_a_checkout_of_ones_own_takes_the_repositorys_place(
    tmp_path: Path, checkout: Path, prompt: Prompt
) -> None:
    config = AgentConfig(prompt=f"sweagent@{COMMIT}", scaffold=checkout)
    assert open_prompt(config, tmp_path / "cache", print) == prompt


def test_a_prompt_of_ours_needs_no_checkout(tmp_path: Path) -> None:
    assert open_prompt(AgentConfig(), tmp_path, print) == Prompt.load("default")


def test_a_misspelt_prompt_is_told_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'compact'"):
        open_prompt(AgentConfig(prompt="compct"), tmp_path, print)


class Remote:
    """A repository to fetch from."""

    def __init__(self, folder: Path) -> None:
        write_swe_agent(folder / "SWE-agent")
        (folder / "README.md").write_text("not needed")
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        for arguments in (
            ("init", "--quiet"),
            ("config", "uploadpack.allowFilter", "true"),
            ("config", "uploadpack.allowAnySHA1InWant", "true"),
            ("add", "--all"),
            (*who, "commit", "--quiet", "--message=x"),
        ):
            subprocess.run(["git", "-C", str(folder), *arguments], check=True)
        head = ["git", "-C", str(folder), "rev-parse", "HEAD"]
        self.config = AgentConfig(
            prompt="sweagent@"
            + subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()
        )
        self.url = folder.as_uri()


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote")


def test_the_pinned_commit_is_fetched(tmp_path: Path, remote: Remote, prompt: Prompt) -> None:
    fetched = open_prompt(remote.config, tmp_path / "cache", print, repository=remote.url)
    assert fetched == prompt


def test_a_second_time_nobody_is_asked(tmp_path: Path, remote: Remote) -> None:
    said: list[str] = []
    for url in (remote.url, "file:///nowhere"):
        open_prompt(remote.config, tmp_path / "cache", said.append, repository=url)
    assert len(said) == 1


def test_only_what_is_read_is_kept(tmp_path: Path, remote: Remote) -> None:
    open_prompt(remote.config, tmp_path / "cache", print, repository=remote.url)
    assert list((tmp_path / "cache").rglob("README.md")) == []


def test_where_it_cannot_be_fetched_a_checkout_is_the_way(tmp_path: Path) -> None:
    config = AgentConfig(prompt=f"sweagent@{COMMIT}")
    with pytest.raises(SourceError) as caught:
        open_prompt(config, tmp_path, print, repository=(tmp_path / "none").as_uri())
    assert "agent.scaffold=DIR" in caught.value.hint
