"""Commands that look at GPUs, here invented ones, without Docker."""

import subprocess
import sys
from pathlib import Path

from tests.doubles.nvidia_smi import write_nvidia_smi
from tests.doubles.pro import pro_id, write_pro_data


def evalkit(folder: Path, *arguments: str) -> str:
    """Standard output of a command for which there is no daemon, and nothing else on PATH."""
    done = subprocess.run(
        [sys.executable, "-m", "evalkit", *arguments],
        env={"PATH": str(folder), "DOCKER_HOST": f"unix://{folder}/none.sock", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout


def test_the_doctor_names_gpus_and_their_memory(tmp_path: Path) -> None:
    write_nvidia_smi(tmp_path)
    told = "gpu      1 x NVIDIA H100 80GB HBM3, 80 GiB, 1 x NVIDIA L4, 22 GiB"
    assert told in evalkit(tmp_path, "doctor")


def test_a_plan_for_eight_gpus_says_how_each_figure_is_known(tmp_path: Path) -> None:
    rows, scripts = write_pro_data(tmp_path)
    own = ("--set", f"suite.rows={rows}", "--set", f"suite.scripts={scripts}")
    model = ("--runner", "qwen3-coder-next", "--gpus", "8x80")
    shown = evalkit(tmp_path, "plan", "--suite", "swebench-pro", *model, *own)
    origins = ("published: median", "assumed: 80 B", "lambda.ai", "nilenso", "149.0 GiB", "TP 4")
    assert [origin for origin in origins if origin not in shown] == []


def test_a_plan_for_a_part_knows_what_is_published_of_the_whole(tmp_path: Path) -> None:
    rows, scripts = write_pro_data(tmp_path)
    (tmp_path / "list").write_text(pro_id("last-wins"))
    own = ("--set", f"suite.rows={rows}", "--set", f"suite.scripts={scripts}")
    part = (
        f"extends: swebench-pro\nname: part\ndescription: one\nsize: 1\nonly: {tmp_path / 'list'}"
    )
    (tmp_path / "suite.yaml").write_text(part)
    model = ("--runner", "qwen3-coder-next")
    assert "published: median" in evalkit(tmp_path, "plan", "--suite", str(tmp_path), *model, *own)
