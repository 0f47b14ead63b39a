import json
import shutil
from pathlib import Path

import pytest

from evalkit.errors import ConfigError, StoreError
from evalkit.reporting.html.report import write_report
from evalkit.store import RunFolder
from evalkit.types import Audit, Finding, Flag, Outcome
from tests.doubles.finished import make_finished
from tests.doubles.parsed import Parsed
from tests.unit.reporting.html.conftest import report_of

FINDING = Finding(flag=Flag.READ_OUTSIDE, turn=3, excerpt="cat /etc/passwd")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two tasks, one of them finished."""
    return _write_run(tmp_path / "my-run")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of two such runs."""
    run = _write_run(tmp_path_factory.mktemp("several") / "my-run")
    return report_of(run, run, folder=run.parent / "out")


def _write_run(folder: Path) -> Path:
    with RunFolder(folder) as store:
        store.describe(suite="quickstart", model="Demo-1B", selected=["demo", "other"], attempts=1)
        write = store.trajectory("demo", 1)
        for turn in range(1, 5):
            write({"kind": "turn", "turn": turn, "t0": turn, "t1": turn + 0.5, "usage": {}})
        audit = Audit(calls=4, findings=(FINDING,))
        store.finish(make_finished(audit=audit))
    return folder


def _parsed(path: Path) -> Parsed:
    return Parsed(path.read_text(encoding="utf-8"))


def test_everything_lies_in_one_folder(run: Path) -> None:
    folder = report_of(run, folder=run / "report")
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names >= {
        "index.html", "report.css", "report.js", "attempts/1_demo.html", "attempts.csv",
        "attempts.parquet", "turns.parquet", "junit.xml", "outcomes.png", "outcomes.svg",
    }  # fmt: skip


def test_the_first_page_is_returned(run: Path) -> None:
    assert write_report([run], run / "report", lambda *_: None) == run / "report" / "index.html"


def test_nothing_else_of_the_run_folder_is_touched(run: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    report_of(run, folder=run / "report")
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_report_is_written_again_over_itself(run: Path) -> None:
    report_of(run, folder=run / "report")
    assert (report_of(run, folder=run / "report") / "index.html").is_file()


def test_two_reports_of_a_run_are_the_same(run: Path, tmp_path: Path) -> None:
    one, two = (report_of(run, folder=tmp_path / name) for name in ("one", "two"))
    for name in ("index.html", "attempts/1_demo.html", "attempts.csv", "junit.xml"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_pages_of_something_else_are_not_overwritten(run: Path, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>My page</title>")
    with pytest.raises(ConfigError, match=r"index\.html is no page of a report") as caught:
        report_of(run, folder=tmp_path)
    assert caught.value.hint


def test_a_folder_that_cannot_be_written_is_named(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot write .*file"):
        report_of(run, folder=tmp_path / "file")


def test_progress_counts_up_to_all_attempts(run: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    write_report([run], tmp_path / "out", lambda *one: told.append(one))
    assert told == [("my-run", 0, 2), ("my-run", 1, 2), ("my-run", 2, 2)]


def test_the_score_stands_above_all_with_what_it_is_of(run: Path) -> None:
    text = _parsed(report_of(run, folder=run / "report") / "index.html").text
    assert "0.0% resolved 0 of 2 (95 % interval 0.0% to 65.8%)" in " ".join(text.split())


def test_every_planned_attempt_has_a_row(run: Path) -> None:
    page = _parsed(report_of(run, folder=run / "report") / "index.html")
    rows = [one.attributes["data-o"] for one in page.all("tr") if "data-o" in one.attributes]
    assert rows == ["unresolved", "unfinished"]


def test_what_is_missing_comes_first(run: Path) -> None:
    with (run / "results.jsonl").open("a") as file:
        file.write("{\n")
    text = _parsed(report_of(run, folder=run / "report") / "index.html").text
    missing, score = text.index("results.jsonl line 2 is damaged"), text.index("Score")
    assert text.index("What is missing") < missing < score


def test_a_whole_run_misses_nothing(run: Path) -> None:
    manifest = json.loads((run / "run.json").read_text()) | {"selected": ["demo"]}
    (run / "run.json").write_text(json.dumps(manifest))
    assert "missing" not in _parsed(report_of(run, folder=run / "report") / "index.html").text


def test_a_finding_links_to_its_turn(run: Path) -> None:
    page = _parsed(report_of(run, folder=run / "report") / "attempts" / "1_demo.html")
    links = {one.attributes["href"] for one in page.all("a")}
    assert "#t3" in links
    assert "t3" in {one.attributes.get("id") for one in page.elements}


@pytest.mark.row("H9")
def test_no_page_names_where_the_run_lies(run: Path, tmp_path: Path) -> None:
    manifest = json.loads((run / "run.json").read_text())
    engine = {"engine": "vllm", "argv": [str(run)], "url": "http://me:secret@host/v1"}
    manifest |= {
        "model": f"{tmp_path}/weights/demo",
        "command": f"evalkit -o {run}",
        "engine": engine,
    }
    (run / "run.json").write_text(json.dumps(manifest))
    (run / "engine.jsonl").write_text("{\n")
    finished = make_finished(task_id="other", outcome=Outcome.INFRA_ERROR, error=f"no {run}/x")
    with RunFolder(run, resume=True) as store:
        store.finish(finished)
    folder = report_of(run, folder=tmp_path / "out")
    written = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    leaks = [name for name, content in written.items()
             if str(tmp_path).encode() in content or b"secret" in content]  # fmt: skip
    assert leaks == []


@pytest.mark.parametrize("gone", ["run.json", "results.jsonl", "tasks"])
def test_a_run_folder_cut_short_is_reported_on_and_says_so(gone: str, run: Path) -> None:
    path = run / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    text = _parsed(report_of(run, folder=run / "report") / "index.html").text
    assert "What is missing" in text


def test_a_folder_that_holds_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no run"):
        report_of(tmp_path, folder=tmp_path / "report")


def test_an_empty_patch_says_so(run: Path) -> None:
    with RunFolder(run, resume=True) as store:
        store.finish(make_finished("", task_id="other", outcome=Outcome.NO_PATCH))
    page = _parsed(report_of(run, folder=run / "report") / "attempts" / "1_other.html")
    assert "None: the tree was left as it was." in page.text


class TestSeveral:
    def test_each_run_has_a_folder_of_its_own(self, several: Path) -> None:
        pages = [several / name / "index.html" for name in ("my-run", "my-run-2")]
        assert all(page.is_file() for page in pages)

    def test_the_first_page_puts_them_side_by_side(self, several: Path) -> None:
        page = _parsed(several / "index.html")
        columns = [one for one in page.all("th") if one.attributes.get("scope") == "col"]
        assert len(columns) == 2

    def test_the_first_page_says_which_run_is_not_whole(self, several: Path) -> None:
        page = _parsed(several / "index.html")
        assert "What is missing" in page.text

    def test_a_runs_page_leads_back(self, several: Path) -> None:
        page = _parsed(several / "my-run" / "index.html")
        assert "../index.html" in {one.attributes["href"] for one in page.all("a")}
