"""What a model is told after a call: in our words, or in a published scaffold's."""

from typing import Protocol

from evalkit.agents.templates import render
from evalkit.types import CommandResult, Record


class Words(Protocol):
    """How results become observations."""

    def ended(self, command: str, result: CommandResult, timeout_s: float) -> str:
        """Put what a command printed and how it ended into one text."""
        ...

    def told(self, text: str, limit: int) -> str:
        """Make an observation of a text, of which at most `limit` characters are shown."""
        ...

    def malformed(self, problem: str) -> str:
        """Answer a call that cannot be carried out as it was written."""
        ...


class OwnWords:
    """Output as it came, with how it ended; of a long one head and tail."""

    def ended(self, command: str, result: CommandResult, timeout_s: float) -> str:  # noqa: ARG002
        """Add the exit code where there is one to tell."""
        parts = [result.output.rstrip("\n")] if result.output.strip() else []
        if result.timed_out:
            parts.append(f"[the command was killed after {timeout_s:g} s]")
        elif result.exit_code:
            parts.append(f"[exit code {result.exit_code}]")
        elif not parts:
            parts.append("[the command succeeded and printed nothing]")
        if result.shell_died:
            parts.append("[the shell ended; the next command runs in a new one]")
        return "\n".join(parts)

    def told(self, text: str, limit: int) -> str:
        """Keep head and tail of a text over the limit, and say how much is missing."""
        return shorten(text, limit)

    def malformed(self, problem: str) -> str:
        """Say what is wrong."""
        return f"Error: {problem}"


class ScaffoldWords(Record):
    """Templates of a published scaffold; variables are called as in SWE-agent.

    Source of the rules: `add_step_to_history` and `handle_action` of sweagent/agent/agents.py.
    """

    observation: str
    """With {{observation}}."""
    silent: str
    """In the place of an observation of white space."""
    clipped: str
    """With {{observation}}, {{elided_chars}} and {{max_observation_length}}."""
    timed_out: str
    """In the place of a command's output: {{command}}, {{timeout}}."""
    misformed: str
    """With {{exception_message}}, and {{error_code}} for its kind."""

    def ended(self, command: str, result: CommandResult, timeout_s: float) -> str:
        """Give the output alone; that scaffold tells no exit code."""
        if result.timed_out:
            return render(self.timed_out, command=command, timeout=f"{timeout_s:g}")
        return result.output.rstrip("\n")

    def told(self, text: str, limit: int) -> str:
        """Keep the head of a text over the limit."""
        if not text.strip():
            return render(self.silent, observation=text)
        if len(text) <= limit:
            return render(self.observation, observation=text)
        return render(
            self.clipped,
            observation=text[:limit],
            elided_chars=len(text) - limit,
            max_observation_length=limit,
        )

    def malformed(self, problem: str) -> str:
        """Say what is wrong."""
        return render(self.misformed, error_code="", exception_message=problem)


def shorten(text: str, limit: int) -> str:
    """Keep head and tail of a text over `limit` characters, and say how much is missing."""
    if len(text) <= limit:
        return text
    half = limit // 2
    cut = len(text) - 2 * half
    hint = f"\n[… {cut} characters left out; narrow the command to see them …]\n"
    return text[:half] + hint + text[-half:]
