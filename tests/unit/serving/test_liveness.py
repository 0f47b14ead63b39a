from evalkit.serving.liveness import Liveness
from evalkit.types import EngineSample


def steps(count: int) -> EngineSample:
    return EngineSample(t=0, steps=count)


def test_an_engine_with_work_and_no_step_is_hung() -> None:
    life = Liveness(10, now=0)
    life.look(0, steps(5), received=1, in_flight=1)
    life.look(11, steps(5), received=1, in_flight=1)
    assert life.hung(11)


def test_a_step_is_a_sign_of_life() -> None:
    life = Liveness(10, now=0)
    life.look(0, steps(5), received=1, in_flight=1)
    life.look(11, steps(6), received=1, in_flight=1)
    assert not life.hung(12)


def test_a_growing_cache_is_a_sign_of_life_while_a_long_prompt_is_read() -> None:
    life = Liveness(10, now=0)
    life.look(0, EngineSample(t=0, steps=5, kv_usage=0.1), received=1, in_flight=1)
    life.look(11, EngineSample(t=0, steps=5, kv_usage=0.2), received=1, in_flight=1)
    assert not life.hung(12)


def test_a_token_is_a_sign_of_life_where_the_counters_cannot_be_read() -> None:
    life = Liveness(10, now=0)
    life.look(0, None, received=1, in_flight=1)
    life.look(11, None, received=2, in_flight=1)
    assert not life.hung(12)


def test_counters_that_answer_but_stand_still_are_none() -> None:
    life = Liveness(10, now=0)
    for now in range(12):
        life.look(now, steps(5), received=1, in_flight=1)
    assert life.hung(11)


def test_an_idle_engine_owes_no_step() -> None:
    life = Liveness(10, now=0)
    life.look(0, steps(5), received=1, in_flight=0)
    life.look(100, steps(5), received=1, in_flight=0)
    life.look(105, steps(5), received=1, in_flight=1)
    assert not life.hung(105)


def test_an_engine_long_idle_is_to_be_probed() -> None:
    life = Liveness(10, now=0)
    life.look(0, steps(5), received=1, in_flight=0)
    assert life.probe_due(11)


def test_an_answered_probe_is_a_sign_of_life() -> None:
    life = Liveness(10, now=0)
    life.sign(11)
    assert not life.probe_due(12)
