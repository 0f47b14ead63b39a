"""When a campaign has images made ready and gives them back."""

import pytest

from evalkit.errors import DiskFullError, SandboxError
from evalkit.types import Outcome
from tests.doubles.campaign import FakeParts, campaign
from tests.doubles.tasks import make_task


def test_an_image_that_cannot_be_had_is_an_infra_error() -> None:
    fake = FakeParts(prepare_error=DiskFullError("no space"))
    campaign(fake).run()
    assert {result.outcome for result in fake.stored} == {Outcome.INFRA_ERROR}


def test_no_model_is_asked_where_the_image_cannot_be_had() -> None:
    fake = FakeParts(prepare_error=DiskFullError("no space"))
    campaign(fake).run()
    assert "task-0 turn 1" not in fake.events


def test_an_image_is_prepared_once_for_all_attempts() -> None:
    fake = FakeParts()
    campaign(fake, attempts=3).run()
    assert fake.events.count("task-1 prepared") == 1


def test_images_stay_where_they_are_to_be_kept() -> None:
    fake = FakeParts()
    campaign(fake).run()
    assert "task-1 released" not in fake.events


def test_an_image_is_given_back_after_the_last_attempt() -> None:
    fake = FakeParts()
    campaign(fake, attempts=2, keep_images=False).run()
    released = fake.events.index("task-1 released")
    assert [event for event in fake.events[:released] if event == "task-1 resolved"] == [
        "task-1 resolved"
    ] * 2


def test_an_image_is_given_back_after_its_containers_are_gone() -> None:
    fake = FakeParts()
    campaign(fake, count=1, keep_images=False).run()
    image = make_task().image
    assert fake.events[-2:] == [f"{image} settled", "task-0 released"]


@pytest.mark.timeout(20)
def test_the_room_of_images_given_back_is_used_again() -> None:
    fake = FakeParts()
    campaign(fake, count=9, keep_images=False).run()
    assert len(fake.stored) == 9


def test_no_more_images_are_here_at_once_than_are_worked_on() -> None:
    fake = FakeParts(collect_s=0.02)
    campaign(fake, count=9, keep_images=False).run()
    assert fake.most_here <= 4  # two rollouts, one grading, one pull


def test_a_full_disk_is_told_as_such() -> None:
    fake = FakeParts(prepare_error=DiskFullError("no space"))
    campaign(fake).run()
    assert {result.reason for result in fake.stored} == {"disk: no space"}


def test_an_image_that_cannot_be_given_back_costs_no_result() -> None:
    fake = FakeParts(release_error=SandboxError("daemon gone"))
    campaign(fake, keep_images=False).run()
    assert len(fake.stored) == 3


def test_an_image_that_cannot_be_given_back_is_told() -> None:
    fake = FakeParts(release_error=SandboxError("daemon gone"))
    campaign(fake, keep_images=False).run()
    assert fake.events.count("image_kept") == 3


@pytest.mark.parametrize("pulls", [1, 2])
def test_no_more_images_are_prepared_at_once_than_planned(pulls: int) -> None:
    fake = FakeParts(prepare_s=0.05)
    campaign(fake, pulls=pulls).run()
    assert fake.most_preparing == pulls
