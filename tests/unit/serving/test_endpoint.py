import json
from collections.abc import Mapping

import pytest

from evalkit.errors import EngineError
from evalkit.serving.endpoint import Endpoint, check_context, look, probe
from evalkit.serving.scripted import Scripted, scripted_server
from tests.doubles.pages import pages

VLLM_MODEL = {
    "id": "m",
    "object": "model",
    "created": 1700000000,
    "owned_by": "vllm",
    "root": "org/m",
    "max_model_len": 4096,
    "permission": [{"id": "modelperm-1", "created": 1700000000}],
}
SGLANG_MODEL = {"id": "m", "owned_by": "sglang", "root": "m", "max_model_len": 8192}
LLAMA_MODEL = {"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 262144, "n_params": 7}}
DOCKER_NAME = "ai/qwen3-coder:30B-A3B-UD-Q4_K_XL"
DOCKER_MODEL = {"id": f"docker.io/{DOCKER_NAME}", "created": 1, "owned_by": "docker"}


def models(*rows: object) -> dict[str, object]:
    return {"/v1/models": {"object": "list", "data": list(rows)}}


def seen(answers: Mapping[str, object], server_name: str = "uvicorn") -> Endpoint:
    with pages(answers, server_name) as url:
        return look(f"{url}/v1", "m", api_key="")


def test_vllm_tells_version_and_context() -> None:
    found = seen(models(VLLM_MODEL) | {"/version": {"version": "0.32.0"}})
    assert (found.engine, found.version, found.max_model_len) == ("vllm", "0.32.0", 4096)


@pytest.mark.parametrize("page", ["/server_info", "/get_server_info"])
def test_sglang_tells_version_and_context(page: str) -> None:
    found = seen(models(SGLANG_MODEL) | {page: {"version": "0.5.23"}})
    assert (found.engine, found.version, found.max_model_len) == ("sglang", "0.5.23", 8192)


def test_llama_cpp_tells_its_build_and_the_context_it_was_started_with() -> None:
    props = {"build_info": "b8681", "default_generation_settings": {"n_ctx": 65536}}
    found = seen(models(LLAMA_MODEL) | {"/props": props})
    assert (found.engine, found.version, found.max_model_len) == ("llamacpp", "b8681", 65536)


def test_docker_model_runner_tells_version_and_the_context_configured() -> None:
    answers = {
        "/engines/v1/models": {"data": [DOCKER_MODEL]},
        "/version": {"version": "v1.1.27"},
        "/engines/_configure?model=ai%2Fqwen3-coder%3A30B-A3B-UD-Q4_K_XL": [
            {"Backend": "llama.cpp", "Config": {"context-size": 65536}}
        ],
    }
    with pages(answers, "") as url:
        found = look(f"{url}/engines/v1", DOCKER_NAME, api_key="")
    assert (found.engine, found.version, found.max_model_len) == ("docker", "v1.1.27", 65536)


def test_docker_model_runner_without_a_configured_context_tells_none() -> None:
    answers = {
        "/engines/v1/models": {"data": [DOCKER_MODEL]},
        "/version": {"version": "v1.1.27"},
        "/engines/_configure?model=ai%2Fqwen3-coder%3A30B-A3B-UD-Q4_K_XL": [],
    }
    with pages(answers, "") as url:
        assert look(f"{url}/engines/v1", DOCKER_NAME, api_key="").max_model_len is None


def test_an_endpoint_that_tells_nothing_of_itself_is_served_all_the_same() -> None:
    found = seen(models({"id": "m"}))
    assert (found.engine, found.version, found.max_model_len) == ("", "", None)


@pytest.mark.parametrize("context", ["4096", 0, -1, None, [1]])
def test_a_context_that_is_no_number_of_tokens_is_none(context: object) -> None:
    assert seen(models(VLLM_MODEL | {"max_model_len": context})).max_model_len is None


def test_a_model_that_is_not_served_is_refused_with_those_that_are() -> None:
    with pytest.raises(EngineError, match="does not serve 'm'; it serves a, b"):
        seen(models({"id": "a"}, {"id": "b"}))


@pytest.mark.parametrize("answer", [None, [], "text", {"data": None}, {"data": ["m", 1]}])
def test_an_answer_of_another_form_serves_nothing(answer: object) -> None:
    with pytest.raises(EngineError, match="it serves nothing"):
        seen({"/v1/models": answer})


def test_a_url_without_models_is_said_with_the_way_out() -> None:
    with pytest.raises(EngineError, match="404") as caught:
        seen({})
    assert "/v1" in caught.value.hint


def test_the_fingerprint_stays_over_a_restart() -> None:
    restarted = VLLM_MODEL | {"created": 1800000000, "permission": [{"id": "modelperm-2"}]}
    assert seen(models(VLLM_MODEL)).fingerprint == seen(models(restarted)).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        models(VLLM_MODEL | {"max_model_len": 2048}),
        models(VLLM_MODEL | {"root": "org/other"}),
        models(VLLM_MODEL) | {"/version": {"version": "0.33.0"}},
    ],
    ids=["context", "weights", "version"],
)
def test_the_fingerprint_changes_with_what_is_served(other: Mapping[str, object]) -> None:
    assert seen(models(VLLM_MODEL)).fingerprint != seen(other).fingerprint


def test_the_fingerprint_changes_with_the_server() -> None:
    one, other = seen(models({"id": "m"}), "llama.cpp"), seen(models({"id": "m"}), "other")
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize("told", [None, 16384, 32768])
def test_a_context_that_is_long_enough_or_not_told_is_taken(told: int | None) -> None:
    check_context(Endpoint(url="u", model="m", max_model_len=told), 16384)


def test_a_context_that_is_too_short_is_refused_with_the_way_out() -> None:
    with pytest.raises(EngineError, match=r"4,096 tokens.*16,384") as caught:
        check_context(Endpoint(url="u", model="m", max_model_len=4096), 16384)
    assert "--set engine.max_model_len=4096" in caught.value.hint


def test_the_probe_tells_under_which_name_it_was_answered() -> None:
    end = {"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}], "model": "true-name"}
    counted = {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    raw = f"data: {json.dumps(end | counted)}\n\ndata: [DONE]\n\n".encode()
    with scripted_server([Scripted(raw=raw)]) as url:
        assert probe(url, "m", api_key="", timeout_s=10).answers_as == "true-name"
