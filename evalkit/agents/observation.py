"""What a model is told after a call."""

from evalkit.types import CommandResult


def describe(result: CommandResult, timeout_s: float) -> str:
    """Put what a command printed and how it ended into one observation."""
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


def shorten(text: str, limit: int) -> str:
    """Keep head and tail of a text over `limit` characters, and say how much is missing."""
    if len(text) <= limit:
        return text
    half = limit // 2
    cut = len(text) - 2 * half
    hint = f"\n[… {cut} characters left out; narrow the command to see them …]\n"
    return text[:half] + hint + text[-half:]
