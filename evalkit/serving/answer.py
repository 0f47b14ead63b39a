"""Putting a streamed answer together, from plain JSON chunks."""

from dataclasses import dataclass, field
from typing import Any

from evalkit.errors import EngineError
from evalkit.serving.retry import MayPassError
from evalkit.types import CUT_OFF, Reply, ToolCall, Usage


@dataclass
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Answer:
    """What has arrived so far of one answer."""

    answers_as: str | None = None
    """The model's name that the engine must answer with; None: any."""
    model: str = ""
    """The name it did answer with; empty where it gave none."""
    text: list[str] = field(default_factory=list)
    calls: dict[int, _Call] = field(default_factory=dict)
    finish_reason: str = ""
    usage: Usage | None = None
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
        if not self.model:
            self._name(chunk.get("model") or "")
        if chunk.get("usage"):
            self.usage = _usage(chunk["usage"])
        if not chunk.get("choices"):
            return
        choice = chunk["choices"][0]
        delta = choice.get("delta") or {}
        fragments = delta.get("tool_calls") or []
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if self.ttft_s is None and (delta.get("content") or fragments or thought):
            self.ttft_s = elapsed_s
        self.text.append("" + (delta.get("content") or ""))
        for fragment in fragments:
            self._add_call(fragment)
        self.finish_reason = "" + (choice.get("finish_reason") or self.finish_reason)

    def _name(self, name: str) -> None:
        if name and self.answers_as and name != self.answers_as:
            raise EngineError(
                f"another model answers: {name!r}, where it was {self.answers_as!r} before"
            )
        self.model = name

    def _add_call(self, fragment: Any) -> None:
        call = self.calls.setdefault(self._index(fragment), _Call())
        function = fragment.get("function") or {}
        # Some engines send id and name with every fragment.
        call.id = call.id or "" + (fragment.get("id") or "")
        call.name = call.name or "" + (function.get("name") or "")
        call.arguments += function.get("arguments") or ""

    def _index(self, fragment: Any) -> int:
        """Return which call a fragment is of: where it does not say so, an id begins another."""
        if fragment.get("index") is not None:
            return int(fragment["index"])
        last = max(self.calls, default=0)
        return last + 1 if self.calls and fragment.get("id") else last

    def cut_off(self) -> None:
        """Take what has arrived as all there will be; a whole answer stays whole."""
        self.finish_reason = self.finish_reason or CUT_OFF
        self.usage = self.usage or Usage()

    def reply(self, total_s: float, incarnation: int = 1) -> Reply:
        """Return the whole.

        Raises MayPassError where the stream ended before its end, EngineError where it is not of
        the chat protocol's form or its tokens were not counted.
        """
        if not self.finish_reason:
            raise MayPassError(
                f"the engine's answer broke off, no finish_reason came; so far: {self._so_far()!r}"
            )
        if self.usage is None:
            raise EngineError(
                f"the engine's answer came without usage, its tokens cannot be counted: "
                f"{self._so_far()!r}",
                hint="the endpoint has to support stream_options.include_usage",
            )
        return Reply(
            text=_whole("".join(self.text)),
            tool_calls=self._tool_calls(),
            finish_reason=self.finish_reason,
            usage=self.usage,
            ttft_s=self.ttft_s,
            total_s=total_s,
            incarnation=incarnation,
        )

    def _tool_calls(self) -> tuple[ToolCall, ...]:
        """Return the calls in order, each with an id of its own: it tells their answers apart."""
        calls: dict[str, ToolCall] = {}
        for index, call in sorted(self.calls.items()):
            own = _whole(call.id) or f"call_{index}"
            while own in calls:
                own += f"_{index}"
            arguments = _whole(call.arguments)
            calls[own] = ToolCall(id=own, name=_whole(call.name), arguments=arguments)
        return tuple(calls.values())

    def _so_far(self) -> str:
        calls = "".join(f"{call.name}{call.arguments}" for call in self.calls.values())
        return ("".join(self.text) + calls)[:300]


def _whole(text: str) -> str:
    """Return a text that can be stored: JSON's escapes may spell half a character."""
    return text.encode("utf-8", "replace").decode()


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
