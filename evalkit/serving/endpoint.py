"""An engine that answers: what is known of it, and the proof that it does."""

import hashlib
import json
import time
import urllib.parse
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import Any

from evalkit.config.runner import Sampling
from evalkit.errors import EngineError
from evalkit.serving.chat import OpenAIChat
from evalkit.serving.fetch import get_json, get_named
from evalkit.types import Usage

_STABLE = ("id", "root", "owned_by", "max_model_len", "meta", "dmr")
"""Of a model's entry in /v1/models; its other fields are the time of the start and random ids."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where tokens come from."""

    url: str
    """Base URL, with its /v1."""
    model: str
    engine: str = ""
    """Whose it is by its own word: `vllm`, `sglang`, `llamacpp` or `docker` (Docker Model Runner);
    empty for any other."""
    version: str = ""
    """The engine's; empty where it names none."""
    max_model_len: int | None = None
    """Tokens of context; None where the endpoint does not tell."""
    fingerprint: str = ""
    """sha256 of the facts that stay as they are for as long as the same is served the same way."""
    argv: tuple[str, ...] = ()
    """Command line of the server we started; empty for somebody else's."""
    pid: int | None = None
    """Number of that server's process group."""
    answers_as: str = ""
    """The model's name in the probe's answer; empty where the engine gives none."""


def look(url: str, model: str, *, api_key: str) -> Endpoint:
    """Return what the endpoint says of itself and of `model`, without a token being made.

    Raises EngineError where it does not answer, or does not serve `model`.
    """
    try:
        body, server = get_named(f"{url}/models", timeout_s=30, api_key=api_key)
        answer = json.loads(body)
    except (OSError, ValueError) as error:
        raise EngineError(
            f"{url}/models does not answer as an OpenAI-compatible endpoint: {error}",
            hint="the URL ends in /v1; the key comes from EVALKIT_API_KEY",
        ) from error
    row = _row(answer, url, model)
    engine = str(row.get("owned_by") or "")
    version, context = _told_elsewhere(engine, url, model, api_key)
    stable = {
        "server": server,
        "version": version,
        "context": context,
        "model": {name: row[name] for name in _STABLE if name in row},
    }
    return Endpoint(
        url=url,
        model=model,
        engine=engine if engine in _PAGES else "",
        version=version,
        max_model_len=_tokens(row.get("max_model_len")) or context,
        fingerprint=hashlib.sha256(json.dumps(stable, sort_keys=True).encode()).hexdigest(),
    )


def _row(answer: object, url: str, model: str) -> Mapping[str, Any]:
    listed = answer.get("data") if isinstance(answer, Mapping) else None
    rows = [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    for row in rows:
        if _short(row.get("id")) == _short(model):
            return row
    served = ", ".join(str(row.get("id")) for row in rows)
    raise EngineError(
        f"{url} does not serve {model!r}; it serves {served or 'nothing'}",
        hint="name one of them: --model NAME",
    )


def _short(name: object) -> str:
    """Return a model's name as one asks for it: Docker Model Runner lists it written out in full."""
    return str(name).removeprefix("docker.io/").removesuffix(":latest")


# Where each engine tells its version, below the URL without /v1; and, where /v1/models is silent
# about it, the context. From the source of vLLM 0.32, of SGLang 0.5.23 (/get_server_info is the older
# name) and of docker/model-runner 642c7211; llama.cpp's from answers of its build b8681.
_PAGES: Mapping[str, tuple[str, ...]] = {
    "vllm": ("/version",),
    "sglang": ("/server_info", "/get_server_info"),
    "llamacpp": ("/props",),
    "docker": ("/version",),
}


def _told_elsewhere(engine: str, url: str, model: str, api_key: str) -> tuple[str, int | None]:
    """Return version and context as the pages of the engine's own tell them."""
    root = url.removesuffix("/v1")
    if engine == "docker":
        root = root.partition("/engines")[0]
    for page in _PAGES.get(engine, ()):
        told = _ask(root + page, api_key)
        if not isinstance(told, Mapping):
            continue
        version = str(told.get("version") or told.get("build_info") or "")
        settings = told.get("default_generation_settings")
        context = settings.get("n_ctx") if isinstance(settings, Mapping) else None
        if engine == "docker":
            context = _configured(root, model, api_key)
        return version, _tokens(context)
    return "", None


def _configured(root: str, model: str, api_key: str) -> object:
    """Return the context that `docker model configure` gave a model."""
    name = urllib.parse.quote(model, safe="")
    entries = _ask(f"{root}/engines/_configure?model={name}", api_key)
    for entry in entries if isinstance(entries, list) else []:
        config = entry.get("Config") if isinstance(entry, Mapping) else None
        if isinstance(config, Mapping) and "context-size" in config:
            return config["context-size"]
    return None


def _ask(url: str, api_key: str) -> object:
    """Return a page's JSON; nothing where there is no such page, which is no fault."""
    try:
        return get_json(url, timeout_s=10, api_key=api_key)
    except (OSError, ValueError):
        return None


def _tokens(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def check_context(endpoint: Endpoint, wanted: int) -> None:
    """Raise EngineError where the endpoint says that it holds fewer than `wanted` tokens."""
    told = endpoint.max_model_len
    if told is not None and told < wanted:
        raise EngineError(
            f"the endpoint's context is {told:,} tokens, the runner's max_model_len is {wanted:,}",
            hint=f"serve it with more, or take it as it is: --set engine.max_model_len={told}",
        )


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a first small answer cost, and who gave it; see `Endpoint`."""

    usage: Usage
    answers_as: str


def probe(
    url: str, model: str, *, api_key: str, timeout_s: float, stopping: Event | None = None
) -> Probe:
    """Have a few tokens made: /health answers 200 even where nothing is ever completed."""
    chat = OpenAIChat(
        url, model, Sampling(max_tokens=4), api_key=api_key, stall_s=timeout_s, stopping=stopping
    )
    question = {"role": "user", "content": "Say hello."}
    with closing(chat):
        reply = chat.chat([question], [], deadline=time.monotonic() + timeout_s)
    if not reply.usage.completion_tokens:
        raise EngineError(f"{url} answered the probe without a single token")
    return Probe(usage=reply.usage, answers_as=chat.answered_as)
