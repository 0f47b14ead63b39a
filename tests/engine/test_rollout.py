"""A rollout against real vLLM: its parser's call is run in a real sandbox, its patch graded."""

from contextlib import closing
from threading import Event

import pytest

from evalkit.agents.prompt import Prompt
from evalkit.agents.tools import ToolAgent
from evalkit.cli.wiring import cache_folder
from evalkit.config.runner import AgentConfig, RolloutLimits, Sampling
from evalkit.grading.judge import judge
from evalkit.protocols import Message
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.daemon import connect
from evalkit.sandbox.images import Images
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.metrics import scrape
from evalkit.suites.registry import open_suite
from evalkit.types import Outcome, StopReason, Submission

# Random weights say nothing of their own: the grammar makes them write this call.
CALL = (
    "<tool_call>\\n<function=bash>\\n<parameter=command>\\ndate >>written-by-the-model\\n"
    "</parameter>\\n</function>\\n</tool_call>"
)

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
            extra={"structured_outputs": {"regex": CALL}},
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
