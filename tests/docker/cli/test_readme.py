"""Every command that README and its pages show is run, as it stands where that is quick."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.cli.wiring import environment
from evalkit.sandbox.images import Images
from tests.doubles.pro import build_pro_images, history, pro_id, write_pro_data

ROOT = Path(__file__).resolve().parents[3]
RECORDED = ROOT / "tests" / "data" / "recorded_run"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> list[str]:
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ]
    return sorted({line[2:] for block in blocks for line in block.splitlines()})


def as_tested(command: str) -> list[str]:
    """`make`, `pip` and runs that need a model become dry runs; almost all else is run as it stands."""
    words = shlex.split(command)
    if words[0] == "make":
        return ["make", "--dry-run", *words[1:]]
    if words[0] == "pip":
        return [sys.executable, "-m", *words, "--dry-run"]
    if words[0] == "papermill":
        return [sys.executable, "-m", *words]
    assert words[0] == "evalkit"
    if words[1] == "view":  # serves until a signal comes; tests/unit/cli/test_report.py sends one
        return [sys.executable, "-m", *words, "--help"]
    needs_model = words[1] in {"run", "serve"} and "gold" not in words
    return [sys.executable, "-m", *words, *(["--dry-run"] if needs_model else [])]


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory, images: Images) -> list[str]:
    """Flags that put instances written here in the place of SWE-bench Pro's."""
    rows, scripts = write_pro_data(tmp_path_factory.mktemp("pro"))
    build_pro_images(images)
    return ["--set", f"suite.rows={rows}", "--set", f"suite.scripts={scripts}",
            "--set", "suite.network=none"]  # fmt: skip


def test_the_pages_show_commands() -> None:
    assert {"make quickstart", "make test"} < set(commands())


@pytest.mark.parametrize("command", commands())
def test_succeeds(command: str, tmp_path: Path, instances: list[str]) -> None:
    (tmp_path / "tasks").symlink_to(ROOT / "tasks")
    (tmp_path / "runners").symlink_to(ROOT / "runners")
    (tmp_path / "reports").mkdir()
    for notebook in (ROOT / "reports").glob("*.ipynb"):
        (tmp_path / "reports" / notebook.name).symlink_to(notebook)
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    (tmp_path / "preds.jsonl").write_text('{"instance_id": "leap-years", "model_patch": ""}\n')
    prediction = {"instance_id": pro_id("last-wins"), "patch": history().patch}
    (tmp_path / "predictions.json").write_text(json.dumps([prediction]))
    if not command.startswith("evalkit run"):
        for folder in re.findall(r"runs/\w+", command):
            shutil.copytree(RECORDED, tmp_path / folder)
    for name in re.findall(r"published:(\S+)", command):
        (tmp_path / f"{name}.json").write_text(json.dumps({f"instance_a__b-{'0' * 40}": True}))
    own = instances if "swebench-pro" in command else []
    done = subprocess.run(
        [*as_tested(command), *own],
        cwd=tmp_path,
        env={**environment(), "EVALKIT_COMPARE_PUBLISHED": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
