"""An instance of SWE-bench Pro the whole way: problem, rollout, patch, official grading, report."""

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evalkit.sandbox.images import Images
from evalkit.serving.scripted import Scripted, scripted_server
from evalkit.types import ToolCall
from tests.docker.cli.conftest import Evalkit
from tests.doubles.pro import build_pro_images, history, pro_id, pro_image, write_pro_data
from tests.doubles.swe_agent import write_swe_agent

SHAPE = "last-wins"
FIX = (
    "sed -i 's/side [*] 4/side * side/' shapes/area.py;"
    " sed -i '1s/}/, 4: \"square\"}/' shapes/names.py"
)


def call(name: str, **arguments: str) -> Scripted:
    return Scripted(tool_calls=(ToolCall(id="1", name=name, arguments=json.dumps(arguments)),))


class Solved(NamedTuple):
    done: "subprocess.CompletedProcess[str]"
    folder: Path
    requests: str
    """Everything the model was sent, as JSON."""

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "results.jsonl").read_text())
        return found


@pytest.fixture(scope="module")
def solved(evalkit: Evalkit, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Solved:
    build_pro_images(images)
    folder = tmp_path_factory.mktemp("pro-run")
    rows, scripts = write_pro_data(folder)
    answers = iter([Scripted(text="hi"), call("bash", command=FIX), call("submit")])
    requests: list[Any] = []

    def answer(body: Any) -> Scripted:
        requests.append(body)
        return next(answers)

    with scripted_server(answer) as url:
        done = evalkit(
            *("run", "--suite", "swebench-pro", "-i", pro_id(SHAPE), "-o", str(folder / "run")),
            *("--endpoint", url, "--model", "scripted", "--set", "suite.network=none"),
            *("--set", f"suite.rows={rows}", "--set", f"suite.scripts={scripts}"),
            *("--set", f"agent.scaffold={write_swe_agent(folder / 'swe-agent')}"),
        )
    return Solved(done, folder / "run", json.dumps(requests))


def test_a_fix_through_the_shell_is_resolved(solved: Solved) -> None:
    assert solved.result["outcome"] == "resolved", solved.done.stderr


def test_every_required_test_is_counted(solved: Solved) -> None:
    counted = [solved.result[name] for name in ("f2p_passed", "f2p_total", "p2p_passed")]
    assert counted == [2, 2, 2]


def test_the_model_is_told_the_scaffolds_prompt(solved: Solved) -> None:
    assert "You mend things." in solved.requests


def test_the_run_folder_tells_what_the_prompt_decided(solved: Solved) -> None:
    agent = json.loads((solved.folder / "run.json").read_text())["agent_config"]
    assert (agent["command_timeout_s"], agent["observation_chars"]) == (450, 1000)


def test_a_checkout_of_the_users_has_a_hash_and_no_commit(solved: Solved) -> None:
    run = json.loads((solved.folder / "run.json").read_text())
    assert (len(run["prompt_sha256"]), run["prompt_commit"]) == (64, None)


def test_the_model_is_told_problem_requirements_and_interface(solved: Solved) -> None:
    told = "`label(4)` returns `square`.\n\nNew interfaces introduced:\nNo new interfaces"
    assert json.dumps(told)[1:-1] in solved.requests


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(pro_id(SHAPE), id="task id"),
        pytest.param(history().solution, id="solution commit"),
        pytest.param(pro_image(SHAPE).rpartition(":")[2], id="image tag"),
        pytest.param("test_label", id="required test"),
        pytest.param("git checkout", id="set-up command"),
    ],
)
def test_the_model_is_not_told(solved: Solved, answer: str) -> None:
    assert answer not in solved.requests


def test_the_prediction_is_in_the_form_that_is_graded_elsewhere(solved: Solved) -> None:
    prediction = json.loads((solved.folder / "preds.jsonl").read_text())
    assert (prediction["instance_id"], prediction["model_patch"].count("diff --git")) == (
        pro_id(SHAPE),
        2,
    )


def test_the_outcome_is_drawn(solved: Solved) -> None:
    assert (solved.folder / "report" / "outcomes.png").stat().st_size > 0
