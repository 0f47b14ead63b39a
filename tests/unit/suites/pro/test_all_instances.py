"""All public instances, where their grading lists lie beside the repository."""

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from evalkit.config.content import content_root
from evalkit.suites.pro.images import image_tag
from evalkit.suites.pro.rows import Row, check_rows

LISTS = Path(__file__).parents[5] / "shared" / "data" / "swebench_pro_instances.jsonl.gz"
pytestmark = pytest.mark.skipif(not LISTS.is_file(), reason="the lists are not beside the checkout")


@pytest.fixture(scope="module")
def raw() -> list[dict[str, str]]:
    with gzip.open(LISTS, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def rows(raw: list[dict[str, str]]) -> Sequence[Row]:
    others = dict.fromkeys(Row.model_fields, "something")
    return check_rows([others | row for row in raw], "the public instances")


def test_all_731_parse(rows: Sequence[Row]) -> None:
    assert len(rows) == 731


@pytest.mark.parametrize(("column", "count"), [("fail_to_pass", 10_546), ("pass_to_pass", 42_003)])
def test_no_name_is_changed_by_a_byte(
    raw: list[dict[str, str]], rows: Sequence[Row], column: str, count: int
) -> None:
    expected = [name.encode() for row in raw for name in json.loads(row[column])]
    assert [name.encode() for row in rows for name in getattr(row, column)] == expected
    assert len(expected) == count


def test_every_instance_has_an_image_tag_of_its_own(rows: Sequence[Row]) -> None:
    assert len({image_tag(row.instance_id, row.repo) for row in rows}) == 731


def test_211_tags_are_cut_at_what_docker_allows(rows: Sequence[Row]) -> None:
    tags = [image_tag(row.instance_id, row.repo) for row in rows]
    assert (max(map(len, tags)), sum(len(tag) == 128 for tag in tags)) == (128, 211)


def test_every_known_defect_is_of_a_public_instance(rows: Sequence[Row]) -> None:
    known = content_root() / "tasks" / "swebench-pro" / "known.csv"
    with known.open(encoding="utf-8", newline="") as lines:
        listed = {line["instance"] for line in csv.DictReader(lines)}
    assert listed - {row.instance_id for row in rows} == set()
