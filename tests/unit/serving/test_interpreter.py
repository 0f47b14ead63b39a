import sys
from pathlib import Path

import pytest

from evalkit.errors import EngineError
from evalkit.serving.interpreter import engine_python


def test_a_setting_that_is_no_interpreter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not start"):
        engine_python(str(tmp_path / "python"), tmp_path)


def test_an_interpreter_without_vllm_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="there is no vllm in"):
        engine_python(sys.executable, tmp_path)


def test_auto_without_any_vllm_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        engine_python("auto", tmp_path)
    assert "setup.sh" in caught.value.hint or "pip install vllm" in caught.value.hint


def test_auto_takes_the_environment_that_setup_made(tmp_path: Path) -> None:
    python = tmp_path / "engine" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 0\n")  # claims to have vLLM
    python.chmod(0o755)
    assert engine_python("auto", tmp_path) == str(python)


def test_another_engine_is_looked_for_by_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="sglang is neither in"):
        engine_python("auto", tmp_path, "sglang")


def test_an_interpreter_that_has_the_package_is_taken(tmp_path: Path) -> None:
    assert engine_python(sys.executable, tmp_path, "evalkit") == sys.executable
