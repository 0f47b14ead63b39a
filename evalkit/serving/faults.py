"""What an engine's refusal means: the context is full, it may pass, or it is final."""

import json
import re
from collections.abc import Mapping

from evalkit.errors import ContextLimitError, EngineError
from evalkit.serving.retry import MayPassError

# The words of each engine, from its source. A conversation that is too long is told from a runner
# that asks for more than the model's whole context, which no engine words like this.
_FULL = re.compile(
    # vLLM 0.32 renderers/params.py, counted in tokens or in characters; OpenAI
    r"maximum context length is \d+ tokens"
    # vLLM 0.32 entrypoints/serve/utils/api_utils.py; SGLang 0.5.23 managers/tokenizer_manager.py
    r"|exceeds (the )?model's maximum context length"
    # vLLM 0.32 v1/engine/input_processor.py, with or without a token of output
    r"|is longer than the maximum model length of \d+"
    # SGLang 0.5.23 managers/tokenizer_manager.py
    r"|is longer than the model's context length"
    # OpenAI; llama.cpp tools/server/server-context.cpp
    r"|exceeds the context window of this model|exceeds the available context size",
    re.IGNORECASE,
)
_FULL_BY_NAME = {"context_length_exceeded", "exceed_context_size_error"}
"""OpenAI's `code` and llama.cpp's `type`."""


def refusal(status: int, body: bytes, after_s: float = 0.0) -> Exception:
    """Return the error that an HTTP answer of `status` is; `after_s` as of MayPassError."""
    text = body.decode("utf-8", "replace")
    try:
        return _meant(status, json.loads(text), after_s)
    except ValueError:
        return _meant(status, text[:300], after_s)


def broken_off(error: object) -> Exception:
    """Return the error that an `error` object within a stream is.

    vLLM and SGLang put a status into its `code`. Without one the fault came after the engine had
    taken the request: its own, which may pass.
    """
    code = error.get("code") if isinstance(error, Mapping) else None
    return _meant(code if isinstance(code, int) else 500, error, 0.0)


def _meant(status: int, answer: object, after_s: float) -> Exception:
    # SGLang does not wrap what it says into `error`, as the others do.
    error = answer.get("error", answer) if isinstance(answer, Mapping) else answer
    fields = error if isinstance(error, Mapping) else {}
    said = str(fields.get("message") or error)[:2000]
    names = {str(fields.get("code")), str(fields.get("type"))}
    if names & _FULL_BY_NAME or _FULL.search(said):
        return ContextLimitError(said)
    if status == 429 or status >= 500:
        return MayPassError(f"the engine answered {status}: {said}", after_s)
    if status in {401, 403}:
        return EngineError(f"the endpoint refuses the key: {said}", hint="set EVALKIT_API_KEY")
    return EngineError(f"the engine answered {status}: {said}")
