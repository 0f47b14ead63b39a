from evalkit.serving.books import Books
from evalkit.serving.endpoint import Endpoint
from evalkit.serving.meter import Meter
from evalkit.types import EngineSample, Received, Usage
from tests.doubles.notes import Notebook


def use(meter: Meter, tokens: int, *, answered: bool = True, probe: bool = False) -> None:
    with meter.request(probe=probe) as count:
        count.usage = Usage(prompt_tokens=10, completion_tokens=tokens)
        count.answered = answered


def completions(received: Received) -> tuple[int, int, int]:
    kinds = (received.turns, received.probes, received.repeated)
    return tuple(kind.completion_tokens for kind in kinds)  # type: ignore[return-value]


def test_turns_probes_and_what_broke_off_are_kept_apart() -> None:
    meter = Meter()
    use(meter, 1)
    use(meter, 2, probe=True)
    use(meter, 4, answered=False)
    assert completions(meter.books[1]) == (1, 2, 4)


def test_what_is_still_arriving_counts_as_received() -> None:
    meter = Meter()
    with meter.request() as count:
        count.usage = Usage(completion_tokens=5)
        assert meter.received(1) == 5


def test_a_request_belongs_to_the_incarnation_that_it_began_with() -> None:
    meter = Meter()
    use(meter, 3)
    with meter.request() as count:
        meter.incarnation = 2
        use(meter, 4)
        count.usage = Usage(completion_tokens=5)
    assert (meter.received(1), meter.received(2)) == (8, 4)


def test_open_requests_are_in_flight() -> None:
    meter = Meter()
    with meter.request(), meter.request():
        assert meter.in_flight == 2
    assert meter.in_flight == 0


def page(*, ours: bool, before: int) -> tuple[int, int]:
    """The engine's counter and what we received, of an engine that had made tokens before us."""
    notes, meter = Notebook(), Meter()
    books = Books(notes, meter)
    use(meter, 3, probe=True)
    books.begin(1, Endpoint(url="http://x/v1", model="m", argv=("vllm",) if ours else ()))
    books.look(lambda: EngineSample(t=1, generation_tokens=before + 3))
    use(meter, 20)
    books.look(lambda: EngineSample(t=2, generation_tokens=before + 23))
    books.end("")
    return notes.pages[0].counter.completion_tokens, notes.pages[0].received_then


def test_our_own_engines_counter_is_what_we_received() -> None:
    assert page(ours=True, before=0) == (23, 23)


def test_what_somebody_elses_engine_made_before_does_not_count() -> None:
    assert page(ours=False, before=1000) == (23, 23)


def test_a_sample_says_what_we_had_received_by_then() -> None:
    notes, meter = Notebook(), Meter()
    books = Books(notes, meter)
    books.begin(1, Endpoint(url="http://x/v1", model="m"))
    use(meter, 7)
    assert books.look(lambda: EngineSample(t=1)).received_tokens == 7


def test_what_comes_while_the_engine_is_read_is_none_of_it() -> None:
    notes, meter = Notebook(), Meter()
    books = Books(notes, meter)
    books.begin(1, Endpoint(url="http://x/v1", model="m"))

    def read() -> EngineSample:
        use(meter, 7)
        return EngineSample(t=1)

    assert books.look(read).received_tokens == 0


def test_a_reason_why_the_engine_cannot_be_read_is_told_once() -> None:
    notes = Notebook()
    books = Books(notes, Meter())
    for why in ("refused", "refused", "timed out"):
        books.missed(why)
    assert [facts["why"] for _, facts in notes.events] == ["refused", "timed out"]
