"""The notebooks run on a recorded run, as a user runs them with papermill."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import papermill
import pytest

CHECKOUT = Path(__file__).parents[2]
RECORDED = CHECKOUT / "tests" / "data" / "recorded_run"
MENDED = ("leap-years", "todo-due-dates")


def _execute(name: str, folder: Path, **parameters: Any) -> Sequence[Any]:
    """Run a notebook; return what its cells showed."""
    done = folder / name
    papermill.execute_notebook(
        CHECKOUT / "reports" / name,
        done,
        parameters=parameters,
        cwd=folder,
        kernel_name="python3",
        progress_bar=False,
    )
    cells = json.loads(done.read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", ())]


def _pictures(outputs: Sequence[Any]) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs)


def _words(outputs: Sequence[Any]) -> str:
    told = [(one.get("text", ""), one.get("data", {}).get("text/plain", "")) for one in outputs]
    return " ".join("".join(words) for pair in told for words in pair)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Any]:
    """What compare_runs shows of the recorded run, and of it with two tasks resolved."""
    folder = tmp_path_factory.mktemp("compared")
    better = shutil.copytree(RECORDED, folder / "better")
    results = [json.loads(line) for line in (better / "results.jsonl").read_text().splitlines()]
    for result in results:
        if result["task_id"] in MENDED:
            result["outcome"] = "resolved"
    (better / "results.jsonl").write_text("".join(json.dumps(one) + "\n" for one in results))
    return _execute("compare_runs.ipynb", folder, base=str(RECORDED), candidate=str(better))


def test_the_published_figures_are_drawn_with_a_run_in_them(tmp_path: Path) -> None:
    outputs = _execute("swebench_pro.ipynb", tmp_path, runs=[str(RECORDED)])
    assert (_pictures(outputs), "Qwen2.5-Coder-1.5B" in _words(outputs)) == (4, True)


def test_the_published_figures_need_no_run(tmp_path: Path) -> None:
    assert _pictures(_execute("swebench_pro.ipynb", tmp_path)) == 4


def test_two_runs_are_drawn_side_by_side(compared: Sequence[Any]) -> None:
    assert _pictures(compared) == 4


def test_flips_are_counted(compared: Sequence[Any]) -> None:
    assert "8 common tasks: 2 won, 0 lost" in _words(compared)


def test_tasks_that_flipped_are_named(compared: Sequence[Any]) -> None:
    assert [task for task in MENDED if task not in _words(compared)] == []


def test_the_engines_speed_is_drawn(tmp_path: Path) -> None:
    outputs = _execute("throughput.ipynb", tmp_path, run=str(RECORDED))
    assert (_pictures(outputs), "decode_tok_s" in _words(outputs)) == (3, True)
