"""Putting a streamed answer together, from plain JSON chunks."""

from dataclasses import dataclass, field
from typing import Any

from evalkit.errors import EngineError
from evalkit.types import CUT_OFF, Reply, ToolCall, Usage


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Answer:
    """What has arrived so far of one answer."""

    model: str = ""
    """The name it was answered under; empty where the engine gives none."""
    text: list[str] = field(default_factory=list)
    calls: dict[int, _Call] = field(default_factory=dict)
    finish_reason: str = ""
    usage: object = None
    """As the engine sent it last; with every chunk where it counts as it goes."""
    ttft_s: float | None = None

    def add(self, chunk: object, elapsed_s: float) -> None:
        """Take in one chunk. Raises EngineError where it is not of the chat protocol's form."""
        try:
            self._add(chunk, elapsed_s)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise EngineError(
                f"the engine sent a chunk that is no chat completion: {str(chunk)[:300]}"
            ) from error

    # The shape is checked by using it: `Any` here, and every way it can be wrong is caught above.
    def _add(self, chunk: Any, elapsed_s: float) -> None:
        self.model = self.model or chunk.get("model") or ""
        if chunk.get("usage"):
            self.usage = chunk["usage"]
        if not chunk.get("choices"):
            return
        choice = chunk["choices"][0]
        delta = choice.get("delta") or {}
        fragments = delta.get("tool_calls") or []
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if self.ttft_s is None and (delta.get("content") or fragments or thought):
            self.ttft_s = elapsed_s
        self.text.append(delta.get("content") or "")
        for fragment in fragments:
            self._add_call(fragment)
        self.finish_reason = choice.get("finish_reason") or self.finish_reason

    def _add_call(self, fragment: Any) -> None:
        call = self.calls.setdefault(int(fragment.get("index", 0)), _Call())
        function = fragment.get("function") or {}
        call.id += fragment.get("id") or ""
        call.name += function.get("name") or ""
        call.arguments += function.get("arguments") or ""

    def cut_off(self) -> None:
        """Take what has arrived as all there will be; a whole answer stays whole."""
        self.finish_reason = self.finish_reason or CUT_OFF
        self.usage = self.usage or {"prompt_tokens": 0, "completion_tokens": 0}

    def reply(self, total_s: float) -> Reply:
        """Return the whole. Raises EngineError where the stream ended before its end."""
        if not self.finish_reason:
            raise EngineError(
                f"the engine's answer broke off, no finish_reason came; so far: {self._so_far()!r}"
            )
        if self.usage is None:
            raise EngineError(
                f"the engine's answer came without usage, its tokens cannot be counted: "
                f"{self._so_far()!r}",
                hint="the endpoint has to support stream_options.include_usage",
            )
        return Reply(
            text="".join(self.text),
            tool_calls=tuple(
                ToolCall(id=call.id or f"call_{index}", name=call.name, arguments=call.arguments)
                for index, call in sorted(self.calls.items())
            ),
            finish_reason=self.finish_reason,
            usage=_usage(self.usage),
            ttft_s=self.ttft_s,
            total_s=total_s,
        )

    def _so_far(self) -> str:
        calls = "".join(f"{call.name}{call.arguments}" for call in self.calls.values())
        return ("".join(self.text) + calls)[:300]


def _usage(usage: Any) -> Usage:
    try:
        details = usage.get("prompt_tokens_details") or {}
        return Usage(
            prompt_tokens=usage["prompt_tokens"],
            cached_tokens=details.get("cached_tokens") or 0,
            completion_tokens=usage["completion_tokens"],
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EngineError(f"the engine counts tokens in a way of its own: {usage}") from error
