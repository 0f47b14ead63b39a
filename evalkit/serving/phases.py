"""Which phase of its start an engine is in, and how far, by what its log says."""

import re
from collections.abc import Callable
from dataclasses import dataclass

Tell = Callable[[str, float | None], None]
"""Hears a phase, `download`, `load`, `compile` or `warm-up`, and its share done, 0 to 1, if known."""

# The words are those of vLLM 0.32, SGLang 0.5.23 and `docker run`. Neither of the two engines shows
# how far a download is: both switch the hub's progress bar off. What vLLM loads from a name on the
# hub it first looks for there; a path is loaded at once.
_MARKS = (
    (
        "download",
        r"Unable to find image |Starting to load model (?!/)|Downloading bytes|Fetching \d",
    ),
    (
        "load",
        r"Starting to load model /|Load weight begin|Time spent downloading weights"
        r"|Loading (?:safetensors|pt) (?:checkpoint|using)",
    ),
    ("compile", r"Starting torch\.compile|Warming up model for the compilation"),
    (
        "warm-up",
        r"Capturing (?:CUDA graphs|batches)|Capture .{1,40} graph begin|JIT kernel warmup starting"
        r"|init engine \(profile|Starting vLLM server|Started server process",
    ),
)
_MARK = re.compile("|".join(f"({pattern})" for _, pattern in _MARKS))
_ORDER = [phase for phase, _ in _MARKS]
# tqdm, as both engines use it: "Loading safetensors checkpoint shards:  25% Completed | 1/4 [..."
# and "Capturing CUDA graphs (decode, FULL):  50%|#####     | 4/8 [...".
_BAR = re.compile(r":\s+(\d{1,3})%(?: Completed )?\|")


@dataclass(frozen=True)
class Progress:
    """How far a start has come."""

    phase: str = ""
    """Empty before the first."""
    share: float | None = None
    """Of this phase, 0 to 1; None where the log does not tell."""

    def after(self, line: str) -> "Progress":
        """Return where a start stands once its log has said `line` as well.

        A phase is never gone back to: of several workers, some are ahead.
        """
        found = _MARK.search(line)
        if found is None or found.lastindex is None:
            return self
        phase = _ORDER[found.lastindex - 1]
        if self.phase and _ORDER.index(phase) < _ORDER.index(self.phase):
            return self
        share = _share(line)
        return Progress(phase, self.share if share is None and phase == self.phase else share)


def _share(line: str) -> float | None:
    bar = _BAR.search(line)
    return min(1.0, int(bar[1]) / 100) if bar else None
