"""Output too long to keep: the head and the tail stay, the middle is counted."""


class Kept:
    """Collects bytes within a bound of memory."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.omitted = 0

    def write(self, data: bytes) -> None:
        """Append; what no longer fits is dropped from the middle."""
        room = self._half - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        excess = len(self._tail) - self._half
        if excess > 0:
            del self._tail[:excess]
            self.omitted += excess

    def text(self, errors: str = "replace") -> str:
        """Return head and tail as text; `errors` says what becomes of bytes that are not UTF-8."""
        if not self.omitted:
            return (self._head + self._tail).decode("utf-8", errors)
        return self._head.decode("utf-8", errors) + self._tail.decode("utf-8", errors)
