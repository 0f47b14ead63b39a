import pytest

from evalkit.agents.scaffold import scaffold_commit
from evalkit.config.runner import Runner, Sampling, load_runner

NAMES = ["qwen3-coder-next", "qwen3-coder-next-mini"]


@pytest.mark.parametrize("name", NAMES)
def test_sampling_is_as_published(name: str) -> None:
    sampling = load_runner(name, []).sampling
    published = Sampling(temperature=1.0, top_p=0.95, top_k=40, max_tokens=sampling.max_tokens)
    assert sampling == published


@pytest.mark.parametrize("name", NAMES)
def test_a_rollout_has_the_published_number_of_turns(name: str) -> None:
    assert load_runner(name, []).limits.turns == 300


@pytest.mark.parametrize("name", NAMES)
def test_the_model_is_served_with_its_own_tool_parser(name: str) -> None:
    engine = load_runner(name, []).engine
    assert (engine.model, engine.tool_parser) == ("Qwen/Qwen3-Coder-Next", "qwen3_coder")


def test_tensor_parallelism_and_context_are_keys() -> None:
    changes = ["engine.tensor_parallel_size=2", "engine.max_model_len=32768"]
    engine = load_runner("qwen3-coder-next", changes).engine
    assert (engine.tensor_parallel_size, engine.max_model_len) == (2, 32768)


def test_the_two_runners_differ_in_scaffold_and_label_alone() -> None:
    tools, mini = (load_runner(name, []) for name in NAMES)
    scaffold = {"name": tools.agent.name, "prompt": tools.agent.prompt}
    agent = mini.agent.model_copy(update=scaffold)
    alike: Runner = mini.model_copy(update={"agent": agent, "label": tools.label})
    assert alike == tools


def test_its_prompt_is_the_published_scaffolds_at_a_commit() -> None:
    assert scaffold_commit(load_runner("qwen3-coder-next", []).agent) is not None
