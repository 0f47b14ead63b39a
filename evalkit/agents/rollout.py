"""One conversation: turns of the model, its calls, their answers, and why it ended."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from evalkit.agents.account import Account
from evalkit.agents.calls import (
    Call,
    MalformedCallError,
    ToolError,
    as_sent,
    checked,
    read_calls,
    text_of,
)
from evalkit.agents.editor import COMMANDS, Editor
from evalkit.agents.observation import shorten
from evalkit.agents.prompt import Prompt
from evalkit.config.runner import AgentConfig
from evalkit.errors import ContextLimitError
from evalkit.protocols import ChatModel, Message, Sandbox
from evalkit.types import CUT_OFF, Reply, StopReason, Task

_PATIENCE = 3
"""Turns in a row without a usable call after which the rollout counts as given up."""


@dataclass(kw_only=True)
class Rollout:
    """The state of one conversation."""

    model: ChatModel
    prompt: Prompt
    config: AgentConfig
    sandbox: Sandbox
    account: Account
    messages: list[Message] = field(default_factory=list)
    asked_back: bool = False
    idle_turns: int = 0
    malformed_calls: int = 0

    def __post_init__(self) -> None:
        self.words = self.prompt.words
        self.editor = Editor(self.sandbox, as_published=self.prompt.scaffold is not None)
        self.fenced = self.config.tool_format == "fenced"

    def run(self, task: Task) -> StopReason:
        """Take turns until something ends the rollout."""
        self._say({"role": "system", "content": self.prompt.system})
        self._say({"role": "user", "content": self._opening(task)})
        while True:
            gave_up = StopReason.GAVE_UP if self.idle_turns >= _PATIENCE else None
            stop = gave_up or self.account.stop() or self._turn()
            if stop is not None:
                self.account.record({"kind": "stop", "reason": stop})
                return stop

    def _opening(self, task: Task) -> str:
        overview = ""
        if self.prompt.overview:
            shown = self.sandbox.run(self.prompt.overview, timeout_s=30).output.strip()
            overview = shorten(shown, self.config.observation_chars)
        return self.prompt.opening(problem=task.problem, workdir=task.workdir, overview=overview)

    def _turn(self) -> StopReason | None:
        started = time.time()
        try:
            reply = self.model.chat(
                self.messages,
                self.prompt.tools,
                deadline=self.account.deadline,
                max_tokens=self.account.tokens_left,
            )
        except ContextLimitError:
            return StopReason.CONTEXT_LIMIT
        self.account.turn(reply, started)
        if reply.finish_reason == CUT_OFF:
            return StopReason.TIME_LIMIT
        calls = read_calls(reply, fenced=self.fenced)
        self._say(self._as_message(reply))
        return self._answer_all(calls)

    def _answer_all(self, calls: Sequence[Call]) -> StopReason | None:
        if not calls:
            self._say({"role": "user", "content": self.prompt.no_call})
        before = self.malformed_calls
        for call in calls:
            if self._submits(call):
                return StopReason.SUBMITTED
            self._answer(call)
        well_formed = len(calls) - (self.malformed_calls - before)
        self.idle_turns = 0 if well_formed else self.idle_turns + 1
        return None

    def _submits(self, call: Call) -> bool:
        """Whether the work is handed in: a prompt may ask back, once, where nothing was changed."""
        if call.name != "submit" or call.arguments is None:
            return False
        if self.asked_back or not self.prompt.empty_submit:
            return True
        self.asked_back = True
        return bool(self.sandbox.run("git status --porcelain", timeout_s=30).output.strip())

    def _as_message(self, reply: Reply) -> Message:
        if not reply.tool_calls:
            return {"role": "assistant", "content": reply.text}
        if self.fenced:
            blocks = [
                f'```json\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n```'
                for call in reply.tool_calls
            ]
            return {"role": "assistant", "content": "\n".join([reply.text, *blocks]).strip()}
        return {"role": "assistant", "content": reply.text, "tool_calls": as_sent(reply)}

    def _answer(self, call: Call) -> None:
        begun = time.monotonic()
        limit = self.config.observation_chars
        try:
            observation = self.words.told(self._execute(call), limit)
        except MalformedCallError as error:
            self.malformed_calls += 1
            observation = self.words.malformed(str(error))
        except (ToolError, ValueError) as error:  # a sandbox refuses a NUL with ValueError
            observation = self.words.told(f"Error: {error}", limit)
        seconds = time.monotonic() - begun
        observation += self.prompt.hints.get(call.name, "")
        arguments = dict(call.arguments) if call.arguments is not None else None
        self.account.call(call.name, arguments, seconds, observation)
        if self.fenced:
            text = f"Result of {call.name}:\n{observation}"
            self.messages.append({"role": "user", "content": text})
        else:
            answer: Message = {"role": "tool", "tool_call_id": call.id, "content": observation}
            self.messages.append(answer)

    def _execute(self, call: Call) -> str:
        names = self.prompt.tool_names()
        if call.arguments is not None and call.name not in names:
            raise MalformedCallError(
                f"unknown tool {call.name!r}; the tools are {', '.join(names)}"
            )
        arguments = checked(call, self.prompt.parameters(call.name))
        if call.name == "str_replace_editor":
            return self.editor(arguments)
        if call.name in COMMANDS:
            return self.editor({**arguments, "command": call.name})
        if call.name == "rewrite":
            return self.editor.rewrite(text_of(arguments, "code"))
        if call.name == "bash":
            return self._bash(text_of(arguments, "command"))
        return self.prompt.empty_submit

    def _bash(self, command: str) -> str:
        left = max(1.0, self.account.deadline - time.monotonic())
        timeout_s = min(self.config.command_timeout_s, left)
        return self.words.ended(command, self.sandbox.run(command, timeout_s=timeout_s), timeout_s)

    def _say(self, message: Message) -> None:
        self.messages.append(message)
        if message["role"] != "assistant":
            self.account.record({"kind": "message", **message})
