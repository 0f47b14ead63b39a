"""Which data-parallel replica a rollout asks.

A conversation's earlier turns are in the prefix cache of the replica that answered them, so it
stays there; another would have to read them all anew.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from evalkit.types import Replica

HEADER = "X-data-parallel-rank"
"""Read by vLLM 0.32 (entrypoints/generate/base/serving.py) and, whatever the case of its letters,
by SGLang 0.5.23 (entrypoints/openai/serving_base.py)."""

_FULL = 0.9
"""KV use above which a replica is overloaded; admission stops there too."""
_FREE = 0.7
"""KV use up to which one is clearly freer."""


def least_loaded(replicas: Sequence[Replica], ours: Mapping[int, int]) -> int:
    """Return the rank for a new conversation.

    `ours` counts the conversations that we have at each rank: what was begun since the last look
    shows there alone, and so do rollouts that are busy with their tools.
    """

    def load(rank: int) -> tuple[int, float]:
        there = replicas[rank]
        return ours.get(rank, 0) + there.running + there.waiting, there.kv_usage

    return min(range(len(replicas)), key=load)


def refuge(replicas: Sequence[Replica], ours: Mapping[int, int], here: int) -> int | None:
    """Return the rank that a conversation at `here` should move to, None where it should stay."""
    if not replicas[here].waiting and replicas[here].kv_usage <= _FULL:
        return None
    freer = [
        rank for rank, there in enumerate(replicas) if not there.waiting and there.kv_usage <= _FREE
    ]
    if not freer:
        return None
    return freer[least_loaded([replicas[rank] for rank in freer], _among(ours, freer))]


def _among(ours: Mapping[int, int], ranks: Sequence[int]) -> Mapping[int, int]:
    return {place: ours.get(rank, 0) for place, rank in enumerate(ranks)}


class Replicas:
    """The conversations of one run at each replica; for any number of threads.

    Nobody says when one ends: it counts until its thread begins another.
    """

    def __init__(self, look: Callable[[], Sequence[Replica]]) -> None:
        """Take what returns the last look at the replicas by rank: the same object until the next."""
        self._look = look
        self._lock = Lock()
        self.ours = Counter[int]()
        """Conversations at each rank."""
        self._seen: Sequence[Replica] = ()
        self._left: set[int] = set()
        """Ranks that a conversation left since the last look: what that did, the next one shows."""

    def rank(self, here: int | None, *, begins: bool) -> int | None:
        """Return where a conversation's next turn goes: None where there is nothing to choose.

        `here` is where its last one went, or the last of the conversation that it takes the place
        of, where it `begins`.
        """
        replicas = self._look()
        with self._lock:
            if replicas is not self._seen:
                self._seen = replicas
                self._left.clear()
            if here is not None:
                self.ours[here] -= 1
            there = self._choose(replicas, None if begins else here)
            if there is not None:
                self.ours[there] += 1
            return there

    def _choose(self, replicas: Sequence[Replica], here: int | None) -> int | None:
        if len(replicas) < 2:
            return None
        if here is None or here >= len(replicas):
            return least_loaded(replicas, self.ours)
        there = None if here in self._left else refuge(replicas, self.ours, here)
        if there is None:
            return here
        self._left.add(here)
        return there
