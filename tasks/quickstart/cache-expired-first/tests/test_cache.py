import pytest

from ttlcache import TTLCache


class Clock:
    """A clock that only moves when told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    return TTLCache(capacity=3, ttl=60, clock=clock)


def test_value_comes_back(cache):
    cache.put("a", 1)
    assert cache.get("a") == 1


def test_missing_key_gives_the_default(cache):
    assert cache.get("a", "nothing") == "nothing"


def test_entry_expires(cache, clock):
    cache.put("a", 1)
    clock.now += 60
    assert cache.get("a") is None


def test_entry_can_have_a_ttl_of_its_own(cache, clock):
    cache.put("a", 1, ttl=5)
    clock.now += 6
    assert "a" not in cache


def test_least_recently_used_is_evicted(cache):
    for key in "abc":
        cache.put(key, key.upper())
    cache.get("a")
    cache.put("d", "D")
    assert list(cache) == ["c", "a", "d"]


def test_overwriting_evicts_nothing(cache):
    for key in "abc":
        cache.put(key, 1)
    cache.put("a", 2)
    assert len(cache) == 3
    assert cache.stats.evictions == 0


def test_expired_entries_do_not_count(cache, clock):
    cache.put("a", 1)
    clock.now += 61
    cache.put("b", 2)
    assert list(cache) == ["b"]


def test_purge_says_how_many_had_expired(cache, clock):
    cache.put("a", 1, ttl=5)
    cache.put("b", 2, ttl=5)
    cache.put("c", 3)
    clock.now += 6
    assert cache.purge() == 2


def test_delete(cache):
    cache.put("a", 1)
    assert cache.delete("a")
    assert not cache.delete("a")


def test_counters(cache, clock):
    cache.put("a", 1)
    cache.get("a")
    cache.get("b")
    clock.now += 61
    cache.get("a")
    assert (cache.stats.hits, cache.stats.misses, cache.stats.expirations) == (1, 2, 1)


def test_cache_without_room_is_refused():
    with pytest.raises(ValueError, match="room"):
        TTLCache(capacity=0, ttl=60)


def test_cache_without_lifetime_is_refused():
    with pytest.raises(ValueError, match="live"):
        TTLCache(capacity=3, ttl=0)


@pytest.fixture
def with_expired(cache, clock):
    """A full cache in which the most recently used entry is the only one that has expired."""
    cache.put("a", 1)
    cache.put("b", 2)
    cache.put("token", 3, ttl=5)
    clock.now += 6
    return cache


def test_expired_entry_makes_room(with_expired):
    with_expired.put("c", 4)
    assert list(with_expired) == ["a", "b", "c"]


def test_making_room_by_expiration_is_no_eviction(with_expired):
    with_expired.put("c", 4)
    assert with_expired.stats.evictions == 0


def test_making_room_by_expiration_is_counted(with_expired):
    with_expired.put("c", 4)
    assert with_expired.stats.expirations == 1


def test_next_key_evicts_when_all_are_alive(with_expired):
    with_expired.put("c", 4)
    with_expired.put("d", 5)
    assert list(with_expired) == ["b", "c", "d"]


def test_expired_entry_in_the_middle_makes_room(cache, clock):
    cache.put("a", 1)
    cache.put("token", 2, ttl=5)
    cache.put("b", 3)
    clock.now += 6
    cache.put("c", 4)
    assert list(cache) == ["a", "b", "c"]


def test_live_entries_are_evicted_one_at_a_time(cache):
    for key in "abcde":
        cache.put(key, 1)
    assert cache.stats.evictions == 2


def test_overwriting_in_a_full_cache_keeps_the_live_ones(with_expired):
    with_expired.put("a", 9)
    assert list(with_expired) == ["b", "a"]
