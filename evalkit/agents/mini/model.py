"""mini-swe-agent's `Model` over ours: its tool, parser and templates, without litellm."""

import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from evalkit.agents.account import Account
from evalkit.agents.calls import as_sent
from evalkit.errors import ContextLimitError
from evalkit.protocols import ChatModel
from evalkit.types import CUT_OFF, Reply, StopReason, ToolCall

if TYPE_CHECKING:
    from minisweagent.exceptions import InterruptAgentFlow

Words = dict[str, Any]
"""A message as mini-swe-agent keeps it: a chat message, and under `extra` what is not sent."""


@dataclass(kw_only=True)
class MiniModel:
    """What its agent asks. Ends the rollout with one of our stop reasons as exit status."""

    chat: ChatModel
    observation_template: str
    format_error_template: str
    account: Account

    def query(self, messages: list[Words]) -> Words:
        """Ask for one turn and read its commands. Raises its FormatError where there are none."""
        from minisweagent.exceptions import FormatError
        from minisweagent.models.utils.actions_toolcall import BASH_TOOL, parse_toolcall_actions

        stop = self.account.stop()
        if stop is not None:
            raise _ended(stop)
        tool: Words = BASH_TOOL
        started = time.time()
        try:
            reply = self.chat.chat(
                [_without_extra(message) for message in messages],
                [tool],
                deadline=self.account.deadline,
                max_tokens=self.account.tokens_left,
            )
        except ContextLimitError as error:
            raise _ended(StopReason.CONTEXT_LIMIT) from error
        self.account.turn(reply, started)
        if reply.finish_reason == CUT_OFF:
            raise _ended(StopReason.TIME_LIMIT)
        try:
            actions = parse_toolcall_actions(
                [_as_parsed(call) for call in reply.tool_calls],
                format_error_template=self.format_error_template,
                template_kwargs={"finish_reason": reply.finish_reason},
            )
        except FormatError as error:
            self._record(error.messages[0])
            raise
        return {**_as_message(reply), "extra": {"actions": actions}}

    def format_message(self, **message: Any) -> Words:
        """Take a message of the agent's own: the opening ones, and `exit` at an error."""
        if message["role"] != "exit":
            self._record(message)
        return message

    def format_observation_messages(
        self, message: Words, outputs: list[Words], template_vars: Words | None = None
    ) -> list[Words]:
        """Put what commands printed into messages."""
        from minisweagent.models.utils.actions_toolcall import format_toolcall_observation_messages

        answers: list[Words] = format_toolcall_observation_messages(
            actions=message["extra"]["actions"],
            outputs=outputs,
            observation_template=self.observation_template,
            template_vars=template_vars,
        )
        return answers

    def get_template_vars(self) -> Words:
        """Return what its templates may name of the model: nothing."""
        return {}

    def serialize(self) -> Words:
        """Return what its own trajectory file would hold; there is none."""
        return {}

    def _record(self, message: Words) -> None:
        self.account.record({"kind": "message", **_without_extra(message)})


def _ended(stop: StopReason) -> "InterruptAgentFlow":
    """Build what ends its loop, as its own limits do: nothing counts as submitted."""
    from minisweagent.exceptions import InterruptAgentFlow

    extra = {"exit_status": stop, "submission": ""}
    return InterruptAgentFlow({"role": "exit", "content": stop, "extra": extra})


def _without_extra(message: Words) -> Words:
    return {key: value for key, value in message.items() if key != "extra"}


def _as_parsed(call: ToolCall) -> SimpleNamespace:
    """Shape a call as the openai client would, which is what its parser reads."""
    function = SimpleNamespace(name=call.name, arguments=call.arguments)
    return SimpleNamespace(id=call.id, function=function)


def _as_message(reply: Reply) -> Words:
    return {"role": "assistant", "content": reply.text or None, "tool_calls": as_sent(reply)}
