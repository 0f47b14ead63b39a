"""mini-swe-agent's `Environment` over a sandbox: every command in a new shell, as in its own."""

import shlex
import time
from dataclasses import dataclass
from subprocess import TimeoutExpired
from typing import Any

from evalkit.agents.account import Account
from evalkit.protocols import Sandbox

_SUBMIT = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
"""First line of what a submitting command prints; the patch follows (mini-swe-agent 2.4.6)."""

_LONG = "/tmp/.evalkit-submission"  # noqa: S108 - in the sandbox


@dataclass(kw_only=True)
class SandboxEnvironment:
    """Where its agent's commands run."""

    sandbox: Sandbox
    workdir: str
    interpreter: list[str]
    variables: dict[str, str]
    observation_template: str
    timeout_s: float
    account: Account

    def execute(self, action: dict[str, Any]) -> dict[str, Any]:
        """Run one command. Raises its Submitted where the command submits."""
        from minisweagent.exceptions import Submitted

        begun = time.monotonic()
        output, submission = self._run(action["command"])
        seconds = time.monotonic() - begun
        self.account.call("bash", {"command": action["command"]}, seconds, self._shown(output))
        if submission is not None:
            extra = {"exit_status": "Submitted", "submission": submission}
            raise Submitted({"role": "exit", "content": submission, "extra": extra})
        return output

    def get_template_vars(self) -> dict[str, Any]:
        """Return what its templates may name of the environment: nothing."""
        return {}

    def serialize(self) -> dict[str, Any]:
        """Return what its own trajectory file would hold; there is none."""
        return {}

    def _run(self, command: str) -> tuple[dict[str, Any], str | None]:
        """Return the output as its own environments word it, and the patch of a submission."""
        timeout_s = min(self.timeout_s, max(1.0, self.account.deadline - time.monotonic()))
        try:
            line = self._line(command)
            result = self.sandbox.run(line, timeout_s=timeout_s)
        except (TypeError, ValueError) as error:  # not a string, a NUL
            return _failed("", error), None
        if result.timed_out:
            return _failed(result.output, TimeoutExpired(command, timeout_s)), None
        text = result.output
        submits = text.lstrip().partition("\n")[0].strip() == _SUBMIT and result.exit_code == 0
        if submits and result.omitted_bytes:
            text = self._whole(line, timeout_s) or text
        output = {"output": text, "returncode": result.exit_code, "exception_info": ""}
        return output, "".join(text.lstrip().splitlines(keepends=True)[1:]) if submits else None

    def _line(self, command: str) -> str:
        variables = [f"{name}={value}" for name, value in self.variables.items()]
        words = ["env", *variables, *self.interpreter, command]
        return f"(cd -- {shlex.quote(self.workdir)} && exec {shlex.join(words)})"

    def _whole(self, line: str, timeout_s: float) -> str | None:
        """Have a submission printed once more, into a file: what a shell prints is kept in part.

        None where it is too long for that too; what there is then is no patch that applies.
        """
        self.sandbox.run(f"{line} >{_LONG} 2>&1", timeout_s=timeout_s)
        try:
            return self.sandbox.read_file(_LONG).decode("utf-8", "replace")
        except OSError:
            return None

    def _shown(self, output: dict[str, Any]) -> str:
        from minisweagent.models.utils.actions_toolcall import format_toolcall_observation_messages

        messages = format_toolcall_observation_messages(
            actions=[{}], outputs=[output], observation_template=self.observation_template
        )
        return str(messages[0]["content"])


def _failed(printed: str, error: Exception) -> dict[str, Any]:
    what = f"An error occurred while executing the command: {error}"
    return {"output": printed, "returncode": -1, "exception_info": what}
