import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.config.runner import Runner
from evalkit.config.yaml_files import key_paths, read_yaml, validate, with_overrides
from evalkit.errors import ConfigError

WHEELS = {"package": "demo-{n}", "version": "1", "count": 1}
GGUF = {"repo": "demo", "file": "demo.gguf", "sha256": "0" * 64, "wheels": WHEELS}
VALID: dict[str, Any] = {"label": "demo", "engine": {"model": "demo", "gguf": GGUF}}
KEYS = st.sampled_from(["a", "b", "a.x", "a.y", "b.x.z"])
VALUES = st.none() | st.booleans() | st.integers() | st.text("abc xyz:#'", max_size=6)
OVERRIDES = st.lists(st.tuples(KEYS, VALUES), max_size=6)


def _text(key: str, value: object) -> str:
    return f"{key}={json.dumps(value)}"


def _look_up(data: dict[str, Any], key: str) -> object:
    found: Any = data
    for part in key.split("."):
        found = found[part]
    return found


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ({"samplin": {}}, "sampling"),
        ({"engine": {"model": "demo", "tensor_parallel": 2}}, "engine.tensor_parallel_size"),
        ({"limits": {"turn": 5}}, "limits.turns"),
    ],
)
def test_an_unknown_key_suggests_the_nearest(wrong: dict[str, Any], meant: str) -> None:
    with pytest.raises(ConfigError, match=f"did you mean '{meant}'"):
        validate(Runner, VALID | wrong, source="demo.yaml")


@given(st.sampled_from(key_paths(Runner)))
def test_a_key_with_its_last_letter_lost_suggests_a_known_one(path: str) -> None:
    data = with_overrides(VALID, [f"{path[:-1]}=1"])
    with pytest.raises(ConfigError) as caught:
        validate(Runner, data, source="demo.yaml")
    assert any(repr(known) in caught.value.message for known in key_paths(Runner))


def test_a_wrong_value_is_named_with_its_file_and_key() -> None:
    with pytest.raises(ConfigError, match=r"^demo.yaml: limits.turns: "):
        validate(Runner, VALID | {"limits": {"turns": 0}}, source="demo.yaml")


@given(OVERRIDES, KEYS, VALUES)
def test_the_last_override_wins(before: list[tuple[str, Any]], key: str, value: object) -> None:
    overrides = [_text(*pair) for pair in [*before, (key, value)]]
    assert _look_up(with_overrides({}, overrides), key) == value


@given(OVERRIDES, OVERRIDES)
def test_overrides_apply_left_to_right(
    first: list[tuple[str, Any]], second: list[tuple[str, Any]]
) -> None:
    left, right = [_text(*pair) for pair in first], [_text(*pair) for pair in second]
    assert with_overrides({}, left + right) == with_overrides(with_overrides({}, left), right)


def test_an_override_leaves_its_source_as_it_was() -> None:
    source = {"engine": {"model": "demo"}}
    with_overrides(source, ["engine.model=other"])
    assert source == {"engine": {"model": "demo"}}


def test_an_override_leaves_the_other_keys_of_its_section() -> None:
    data = with_overrides({"engine": {"model": "demo"}}, ["engine.port=80"])
    assert data == {"engine": {"model": "demo", "port": 80}}


@pytest.mark.parametrize("override", ["key", "=value", "key=[1"])
def test_an_override_that_cannot_be_read_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        with_overrides({}, [override])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"- a\n", "mapping, not list"), (b"a: [", "is not YAML"), (b"a: \xff", "is not YAML")],
)
def test_a_file_that_holds_no_mapping_is_refused(
    content: bytes, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "demo.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=complaint):
        read_yaml(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*absent.yaml: No such file"):
        read_yaml(tmp_path / "absent.yaml")
