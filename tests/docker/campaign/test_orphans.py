"""What a killed run left goes, what a living one has stays, and one folder has one writer."""

import dataclasses
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from docker.errors import NotFound

from evalkit.sandbox.owner import OWNER, Owner
from evalkit.serving.scripted import scripted_server
from tests.docker.cli.conftest import Evalkit
from tests.doubles.daemon import ANSWER, daemon_that, removes_no_container
from tests.doubles.live_run import live_run
from tests.doubles.solver import bash, endpoint, tasks

if TYPE_CHECKING:
    from docker import APIClient

pytestmark = pytest.mark.alone
DEAD = dataclasses.replace(Owner.here(), started=0)


class Cleaned(NamedTuple):
    killed: list[str]
    """Containers of the killed run that are left."""
    before: list[str]
    """Those of the living one, before and after."""
    after: list[str]
    done: "list[subprocess.CompletedProcess[str]]"
    refused: "subprocess.CompletedProcess[str]"
    """What came of a second writer of the living run's folder."""
    went_on: bool


@pytest.fixture(scope="module")
def cleaned(
    client: "APIClient", evalkit: Evalkit, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cleaned]:
    """Of two runs one is killed; then comes `evalkit clean`, twice."""
    folder = tmp_path_factory.mktemp("orphans")
    with scripted_server(lambda _: bash("sleep 0.2")) as url:
        arguments = (*tasks("leap-years"), *endpoint(url))
        with (
            live_run(folder / "killed", *arguments) as killed,
            live_run(folder / "living", *arguments) as living,
        ):
            for run in (killed, living):
                run.until_it_runs(client, "leap-years", "sleep 0.2")
            killed.process.kill()
            killed.process.wait()
            assert killed.containers(client) != []
            before = living.containers(client)
            done = [evalkit("clean"), evalkit("clean")]
            refused = evalkit("run", *arguments, "-o", str(living.folder), "--resume")
            turns = len(living.kinds("leap-years"))
            living.until(lambda: len(living.kinds("leap-years")) > turns + 2)
            yield Cleaned(
                killed=killed.containers(client),
                before=before,
                after=living.containers(client),
                done=done,
                refused=refused,
                went_on=living.process.poll() is None,
            )
    evalkit("clean")


@pytest.mark.row("G5")
def test_a_killed_runs_containers_go(cleaned: Cleaned) -> None:
    assert cleaned.killed == []


@pytest.mark.row("G5")
def test_a_living_runs_containers_stay(cleaned: Cleaned) -> None:
    assert (len(cleaned.before), cleaned.after) == (1, cleaned.before)


@pytest.mark.row("G5")
def test_a_living_run_goes_on(cleaned: Cleaned) -> None:
    assert cleaned.went_on


@pytest.mark.row("G10")
def test_cleaning_twice_is_well_both_times(cleaned: Cleaned) -> None:
    assert [done.returncode for done in cleaned.done] == [0, 0]


@pytest.mark.row("G10")
def test_the_second_time_nothing_is_left_to_remove(cleaned: Cleaned) -> None:
    assert cleaned.done[1].stdout.startswith("0 containers and ")


@pytest.mark.row("G7")
def test_a_second_writer_is_refused(cleaned: Cleaned) -> None:
    assert (cleaned.refused.returncode, "by another evalkit" in cleaned.refused.stderr) == (3, True)


@pytest.fixture
def orphans(client: "APIClient", base: str) -> Iterator[list[str]]:
    """Two containers of a dead owner."""
    made = [
        str(client.create_container(base, ["true"], labels={OWNER: DEAD.label})["Id"])
        for _ in range(2)
    ]
    yield made
    for name in made:
        with suppress(NotFound):
            client.remove_container(name, force=True)


@pytest.mark.row("G10")
def test_a_container_that_cannot_be_removed_keeps_no_other(
    client: "APIClient", evalkit: Evalkit, orphans: list[str], tmp_path: Path
) -> None:
    """The daemon lists the newest first, so that is the one it cannot remove."""

    def sticks(request: str) -> bytes | None:
        return ANSWER if request.startswith("DELETE ") and orphans[1] in request else None

    with daemon_that(sticks, tmp_path) as host:
        done = evalkit("clean", extra={"DOCKER_HOST": host})
    left = {entry["Id"] for entry in client.containers(all=True)}
    assert [name in left for name in orphans] == [False, True], done.stderr


@pytest.mark.row("G10")
def test_it_is_told_and_no_failure(evalkit: Evalkit, orphans: list[str], tmp_path: Path) -> None:
    with daemon_that(removes_no_container, tmp_path) as host:
        done = evalkit("clean", extra={"DOCKER_HOST": host})
    assert (done.returncode, orphans[0][:12] in done.stderr) == (0, True), done.stderr


@pytest.mark.row("G10")
def test_it_keeps_no_run_from_starting(
    evalkit: Evalkit, orphans: list[str], tmp_path: Path
) -> None:
    with daemon_that(removes_no_container, tmp_path) as host:
        done = evalkit(
            *("run", *tasks("leap-years"), "--agent", "gold", "-o", str(tmp_path / "run")),
            extra={"DOCKER_HOST": host},
        )
    evalkit("clean")
    assert done.returncode == 0, (orphans, done.stderr)
