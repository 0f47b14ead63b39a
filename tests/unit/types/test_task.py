import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evalkit.types import Task
from tests.doubles.tasks import make_task

NAMES = st.text(min_size=1, max_size=12)
LISTS = st.lists(NAMES, min_size=1, max_size=6, unique=True)


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    names = draw(LISTS)
    cut = draw(st.integers(1, len(names)))
    return make_task(
        id=draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,30}", fullmatch=True)),
        problem=draw(NAMES),
        gold_patch=draw(st.text(max_size=50)),
        fail_to_pass=names[:cut],
        pass_to_pass=names[cut:],
        payload=draw(st.dictionaries(NAMES, st.none() | st.booleans() | st.integers() | NAMES)),
    )


@given(tasks())
def test_a_task_comes_back_from_json_equal(task: Task) -> None:
    assert Task.model_validate_json(task.model_dump_json()) == task


def test_a_task_without_a_test_to_fix_is_refused() -> None:
    with pytest.raises(ValidationError, match="fail_to_pass is empty"):
        make_task(fail_to_pass=())


def test_a_task_without_tests_to_keep_is_fine() -> None:
    assert make_task(pass_to_pass=()).pass_to_pass == ()


@given(LISTS, st.data())
def test_lists_that_overlap_are_refused(names: list[str], data: st.DataObject) -> None:
    shared = data.draw(st.sampled_from(names))
    with pytest.raises(ValidationError, match="named twice"):
        make_task(fail_to_pass=names, pass_to_pass=[shared])


@pytest.mark.parametrize("field", ["fail_to_pass", "pass_to_pass"])
def test_a_list_that_repeats_is_refused(field: str) -> None:
    with pytest.raises(ValidationError, match=r"named twice.*again"):
        make_task(**{field: ("again", "once", "again")})


@pytest.mark.parametrize("name", ["", "../etc", "a/b", ".hidden", "a b", "a\n", "x" * 201])
def test_an_id_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="id"):
        make_task(id=name)


def test_a_key_that_no_task_has_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        make_task(fail_to_pas=("t",))


def test_a_task_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_task().id = "other"  # type: ignore[misc]  # the point of the test
