"""Whether an engine still works: an answer of /health proves nothing, a step does."""

from evalkit.types import EngineSample


class Liveness:
    """One incarnation's signs of life. Times are `time.monotonic()` seconds."""

    def __init__(self, stall_s: float, now: float) -> None:
        """Take an engine with work at hand that gives no sign for `stall_s` as hung."""
        self._stall_s = stall_s
        self._seen: tuple[object, int] = (None, -1)
        self.last_sign = now
        """When it last gave a sign of life."""
        self._watched = now
        """Since when it owes one: since its last sign, or since it got work."""

    def look(self, now: float, sample: EngineSample | None, received: int, in_flight: int) -> None:
        """Take note of a look: `sample` is None where it could not be had."""
        # While vLLM 0.32 reads one long prompt, the KV cache in use is all that moves.
        told = (sample.steps, sample.generation_tokens, sample.kv_usage) if sample else None
        seen = (told or self._seen[0], received)
        if seen != self._seen:
            self._seen = seen
            self.sign(now)
        elif not in_flight:
            self._watched = now

    def sign(self, now: float) -> None:
        """Take note of a sign of life, such as an answered probe."""
        self.last_sign = self._watched = now

    def quiet_s(self, now: float) -> float:
        """Return for how long it has given no sign."""
        return now - self.last_sign

    def hung(self, now: float) -> bool:
        """Whether it had work and gave no sign for too long."""
        return now - self._watched > self._stall_s

    def probe_due(self, now: float) -> bool:
        """Whether it has been idle for so long that only a probe can tell."""
        return now - self.last_sign > self._stall_s
