"""Real vLLM: what it counts and answers, and a rollout whose parsed calls run in a real sandbox."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from threading import Event

import pytest
from pydantic import JsonValue

from evalkit.agents.prompt import Prompt
from evalkit.agents.tools import ToolAgent
from evalkit.cli.wiring import cache_folder
from evalkit.config.runner import AgentConfig, RolloutLimits, Sampling
from evalkit.errors import ContextLimitError
from evalkit.grading.judge import judge
from evalkit.protocols import Message
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.images import Images
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.metrics import scrape
from evalkit.suites.registry import open_suite
from evalkit.types import Outcome, Reply, StopReason, Submission
from tests.engine.conftest import Started

HELLO: list[Message] = [{"role": "user", "content": "List the files."}]
BASH: Message = {
    "type": "function",
    "function": {
        "name": "bash",
        "description": "Run a shell command.",
        "parameters": {
            "type": "object",
            "properties": {"command": {"type": "string"}},
            "required": ["command"],
        },
    },
}


def calling(command: str) -> dict[str, JsonValue]:
    """Random weights say nothing of their own: the grammar makes them write this call."""
    call = f"<function=bash>\\n<parameter=command>\\n{command}\\n</parameter>\\n</function>"
    return {"structured_outputs": {"regex": f"<tool_call>\\n{call}\\n</tool_call>"}}


def ask(
    endpoint: Endpoint,
    messages: list[Message] = HELLO,
    tools: list[Message] | None = None,
    extra: Mapping[str, JsonValue] | None = None,
) -> Reply:
    chat = OpenAIChat(endpoint.url, endpoint.model, Sampling(max_tokens=64), extra=extra)
    with closing(chat):
        return chat.chat(messages, tools or [], deadline=time.monotonic() + 120)


def test_two_workers_share_the_model(
    tiny_engine: Endpoint, processes: Callable[[int], list[str]]
) -> None:
    assert tiny_engine.pid is not None
    names = processes(tiny_engine.pid)
    assert sum(name.startswith("VLLM::Worker_TP") for name in names) == 2


def test_the_probe_is_what_the_engine_had_counted_by_then(started: Started) -> None:
    assert started.counted.generation_tokens == started.probed.completion_tokens


def test_a_call_in_the_models_own_form_arrives_as_a_tool_call(tiny_engine: Endpoint) -> None:
    reply = ask(tiny_engine, tools=[BASH], extra=calling("ls -la"))
    call = reply.tool_calls[0]
    assert (call.name, json.loads(call.arguments)) == ("bash", {"command": "ls -la"})


def test_the_engine_counts_the_tokens_that_the_reply_reports(tiny_engine: Endpoint) -> None:
    before = scrape(tiny_engine.url).generation_tokens
    reply = ask(tiny_engine)
    assert scrape(tiny_engine.url).generation_tokens - before == reply.usage.completion_tokens


def test_the_engine_counts_the_prompt_that_the_reply_reports(tiny_engine: Endpoint) -> None:
    before = scrape(tiny_engine.url).prompt_tokens
    reply = ask(tiny_engine)
    assert scrape(tiny_engine.url).prompt_tokens - before == reply.usage.prompt_tokens


def test_a_lone_request_takes_a_step_for_each_of_its_tokens(tiny_engine: Endpoint) -> None:
    before = scrape(tiny_engine.url).steps
    reply = ask(tiny_engine)
    assert scrape(tiny_engine.url).steps - before == reply.usage.completion_tokens


def test_its_cache_holds_more_than_one_conversation(tiny_engine: Endpoint) -> None:
    assert scrape(tiny_engine.url).capacity_tokens > 4096


def test_a_conversation_beyond_the_context_is_a_context_limit(tiny_engine: Endpoint) -> None:
    with pytest.raises(ContextLimitError, match="4096"):
        ask(tiny_engine, [{"role": "user", "content": "word " * 5000}])


def test_the_version_is_known(tiny_engine: Endpoint) -> None:
    assert tiny_engine.version[0].isdigit()


Done = tuple[Submission, list[Message], int]


@pytest.fixture(scope="module")
def done(tiny_engine: Endpoint) -> Done:
    suite = open_suite(
        "quickstart", images=lambda: Images(connect()), say=print, cache=cache_folder()
    )
    task = suite.tasks()[0]
    suite.prepare(task)
    agent = ToolAgent(
        model=OpenAIChat(
            tiny_engine.url,
            tiny_engine.model,
            Sampling(max_tokens=64),
            extra=calling("date >>written-by-the-model"),
        ),
        prompt=Prompt.load("default"),
        config=AgentConfig(),
        limits=RolloutLimits(turns=2, seconds=300),
        stopping=Event(),
    )
    containers = DockerContainers(connect(), run_id="test-engine")
    lines: list[Message] = []
    before = scrape(tiny_engine.url).generation_tokens
    submission = agent.solve(task, 1, lambda: containers.rollout(task, 1), lines.append)
    return submission, lines, scrape(tiny_engine.url).generation_tokens - before


def test_the_rollout_goes_on_to_its_turn_limit(done: Done) -> None:
    assert done[0].stop is StopReason.TURN_LIMIT


def test_the_parsed_command_ran_in_the_sandbox(done: Done) -> None:
    assert "+++ b/written-by-the-model" in done[0].patch


def test_every_turn_held_a_call_that_the_parser_found(done: Done) -> None:
    assert [line["name"] for line in done[1] if line["kind"] == "tool"] == ["bash", "bash"]


def test_the_tokens_of_the_rollout_are_those_the_engine_counted(done: Done) -> None:
    assert done[0].usage.completion_tokens == done[2]


def test_such_a_patch_is_graded_unresolved(done: Done) -> None:
    suite = open_suite(
        "quickstart", images=lambda: Images(connect()), say=print, cache=cache_folder()
    )
    task = suite.tasks()[0]
    with closing(DockerContainers(connect(), run_id="test-engine")) as containers:
        evidence = suite.collect(task, done[0].patch, containers.run)
    assert judge(task, evidence).outcome is Outcome.UNRESOLVED
