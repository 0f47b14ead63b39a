"""Rows A6 and E7: no answer lies in the agent's box, and nothing of it reaches grading."""

from collections.abc import Callable, Iterator

import pytest

from evalkit.config.content import content_root
from evalkit.sandbox.containers import DockerContainers
from evalkit.sandbox.rollout import DockerSandbox
from evalkit.types import Outcome, Task

SEARCH = """
{{ grep -rlFe {line} / --exclude-dir=proc --exclude-dir=sys 2>/dev/null
cat /proc/[0-9]*/environ /proc/mounts | tr '\\0' '\\n' | grep -aFe {line}
git cat-file --batch-all-objects --batch | grep -aFe {line}
}} | head -n 9
"""
"""Of the whole file system, every process's environment and every object of git."""


@pytest.fixture(scope="module")
def opened(containers: DockerContainers, task: Task) -> Iterator[DockerSandbox]:
    with containers.rollout(task, 1) as sandbox:
        yield sandbox


def found(sandbox: DockerSandbox, line: str) -> str:
    quoted = "'" + line.replace("'", "'\\''") + "'"
    return sandbox.run(SEARCH.format(line=quoted), timeout_s=60).output


@pytest.fixture(scope="module")
def given(opened: DockerSandbox) -> str:
    """What the repository itself shows of the two files that the solution and the tests change."""
    names = ("durations/formatting.py", "tests/test_formatting.py")
    return "".join(opened.read_file(f"/repo/{name}").decode() for name in names)


@pytest.mark.row("A6")
def test_what_the_repository_shows_is_found(opened: DockerSandbox) -> None:
    assert "/repo/durations/formatting.py\n" in found(opened, "def format_duration(seconds: int)")


@pytest.mark.row("A6")
def test_no_line_of_the_solution_is_found(opened: DockerSandbox, task: Task, given: str) -> None:
    lines = [line[1:].strip() for line in task.gold_patch.splitlines() if line.startswith("+")]
    secret = [line for line in lines if line not in given and "/" not in line]
    assert [found(opened, line) for line in secret] == [""] * max(len(secret), 1)


@pytest.mark.row("A6")
def test_no_line_of_the_hidden_tests_is_found(
    opened: DockerSandbox, task: Task, given: str
) -> None:
    file = content_root() / "tasks" / task.suite / task.id / task.test_files[0]
    secret = [line for line in file.read_text().splitlines() if line.strip() not in given]
    assert [found(opened, line.strip()) for line in secret[:3]] == [""] * 3


@pytest.mark.row("A6")
@pytest.mark.parametrize("words", ["evalkit.task", "fail_to_pass", "duration-minutes"])
def test_nothing_tells_which_task_it_is(opened: DockerSandbox, words: str) -> None:
    assert found(opened, words) == ""


@pytest.mark.row("E7")
def test_a_daemon_that_destroys_the_tree_does_not_reach_grading(
    containers: DockerContainers, task: Task, outcome: Callable[[str], Outcome]
) -> None:
    with containers.rollout(task, 1) as sandbox:
        sandbox.run("sed -i 's/if seconds > size/if seconds >= size/' durations/*.py", timeout_s=20)
        patch = sandbox.patch()
        destroy = "while :; do rm -rf /repo/* /evalkit* /tmp/*; sleep 0.05; done"
        sandbox.run(f"(setsid sh -c '{destroy}' >/dev/null 2>&1 &); sleep 0.2", timeout_s=20)
        graded = outcome(patch)
        left = sandbox.run("touch /repo/new; sleep 0.5; ls /repo", timeout_s=20).output
    assert (graded, left) == (Outcome.RESOLVED, "")


@pytest.mark.row("E7")
def test_a_daemon_that_mends_the_tree_during_grading_mends_nothing(
    containers: DockerContainers, task: Task, outcome: Callable[[str], Outcome]
) -> None:
    with containers.rollout(task, 1) as sandbox:
        patch = sandbox.patch()
        mend = 'while :; do sed -i "s/seconds > size/seconds >= size/" /repo/*/*.py; done'
        sandbox.run(f"(setsid sh -c '{mend}' >/dev/null 2>&1 &)", timeout_s=20)
        assert outcome(patch) is Outcome.NO_PATCH
