"""nightly.sh itself: a stand-in for evalkit notes its calls and ends with the codes it is told."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).parents[3]
STAND_IN = CHECKOUT / "tests" / "doubles" / "nightly_evalkit.sh"


class Nights:
    """A folder of nights, and what the stand-in is told and was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self.report = self.runs / "report"
        self._told = folder / "told"
        self._told.mkdir()
        (folder / "bin").mkdir()
        shutil.copy(STAND_IN, folder / "bin" / "evalkit")
        self.baseline(attempts=5)

    def baseline(self, attempts: int) -> None:
        (self.folder / "base").mkdir(exist_ok=True)
        (self.folder / "base" / "run.json").write_text(json.dumps({"attempts": attempts}))

    def night(
        self, *flags: str, environ: dict[str, str] | None = None, **codes: int
    ) -> "subprocess.CompletedProcess[str]":
        """Run a night in which the named commands end with these codes."""
        for command in ("run", "status", "compare", "report"):
            (self._told / command).write_text(str(codes.get(command, 0)))
        return self.script("--baseline", "base", *flags, environ=environ)

    def script(
        self, *flags: str, environ: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        own = {"PATH": f"{self.folder / 'bin'}:{os.defpath}", "STAND_IN": str(self._told)}
        return subprocess.run(
            [str(CHECKOUT / "nightly.sh"), "--runs", "runs", *flags],
            cwd=self.folder,
            env={**own, **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def earlier(self, *codes: int) -> list[str]:
        """Put nights into the history, with their folders; return these."""
        self.runs.mkdir(exist_ok=True)
        names = [f"night-2001010{number}T000000Z" for number, _ in enumerate(codes, 1)]
        for name in names:
            (self.runs / name).mkdir()
        lines = (f"{name} {code}\n" for name, code in zip(names, codes, strict=True))
        (self.runs / "history").write_text("".join(lines))
        return [f"runs/{name}" for name in names]

    def calls(self, command: str) -> list[list[str]]:
        """Return the words of each call of a command, its name left out."""
        lines = (self._told / "calls").read_text().splitlines()
        return [words[1:] for line in lines if (words := line.split())[0] == command]

    def history(self) -> list[str]:
        """Return the code of each night."""
        return [line.split()[1] for line in (self.runs / "history").read_text().splitlines()]


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path)


def test_an_equal_night_ends_with_0(nights: Nights) -> None:
    assert nights.night().returncode == 0


@pytest.mark.parametrize("code", [1, 3, 4])
def test_a_night_ends_with_the_code_of_the_comparison(nights: Nights, code: int) -> None:
    assert nights.night(compare=code).returncode == code


def test_a_run_that_cannot_be_made_ends_with_3(nights: Nights) -> None:
    assert nights.night(run=3, status=3).returncode == 3


def test_a_run_that_cannot_be_made_is_not_compared(nights: Nights) -> None:
    nights.night(run=3, status=3)
    assert nights.calls("compare") == []


def test_the_summary_of_a_run_that_cannot_be_made_says_so(nights: Nights) -> None:
    nights.night()
    nights.night("--runs", "runs", run=3, status=3)
    assert (nights.report / "compare.md").read_text().startswith("No comparison")


def test_a_run_complete_but_for_infra_errors_is_compared(nights: Nights) -> None:
    assert nights.night(run=3, status=0, compare=1).returncode == 1


@pytest.mark.parametrize("code", [2, 130, 143])
def test_a_run_that_ends_otherwise_ends_the_night_with_its_code(nights: Nights, code: int) -> None:
    assert nights.night("--red-after", "3", run=code).returncode == code


def test_a_run_that_crashes_is_not_a_worse_model(nights: Nights) -> None:
    assert nights.night(run=1, status=3).returncode == 3


def test_a_comparison_that_crashes_is_not_a_worse_model(nights: Nights) -> None:
    (nights.folder / "bin" / "evalkit").write_text('#!/bin/sh\n[ "$1" != compare ]\n')
    assert nights.script("--baseline", "base").returncode == 3


def test_a_run_that_was_broken_off_is_no_night(nights: Nights) -> None:
    nights.night(run=143)
    assert nights.history() == []


def test_a_comparison_that_is_refused_ends_the_night_with_2(nights: Nights) -> None:
    assert nights.night("--red-after", "3", compare=2).returncode == 2


def test_the_night_is_reported_also_where_it_is_worse(nights: Nights) -> None:
    nights.night(compare=1)
    ((folder, *rest),) = nights.calls("report")
    assert (folder.startswith("runs/night-"), rest) == (True, ["-o", "runs/report/night"])


def test_a_report_that_fails_is_infrastructure(nights: Nights) -> None:
    assert nights.night(report=1).returncode == 3


def test_a_report_that_fails_does_not_hide_what_is_worse(nights: Nights) -> None:
    assert nights.night(report=3, compare=1).returncode == 1


def test_flags_reach_the_run(nights: Nights) -> None:
    nights.night(
        *("--suite", "quickstart", "--runner", "mine", "--agent", "gold", "--attempts", "2"),
        *("--", "--set", "limits.turns=3"),
    )
    ((suite, name, k, count, o, _, *rest),) = nights.calls("run")
    assert (suite, name, k, count, o) == ("--suite", "quickstart", "-k", "2", "-o")
    assert rest == ["--runner", "mine", "--agent", "gold", "--set", "limits.turns=3"]


def test_without_flags_the_nightly_suite_is_run_three_times_a_task(nights: Nights) -> None:
    nights.night()
    assert nights.calls("run")[0][:4] == ["--suite", "swebench-pro-nightly", "-k", "3"]


def test_flags_reach_the_comparison(nights: Nights) -> None:
    nights.night("--max-drop", "5", "--alpha", "0.01", "--report", "out")
    said = "--max-drop 5 --alpha 0.01 --junit out/junit.xml --markdown out/compare.md"
    assert " ".join(nights.calls("compare")[0][2:]) == said


def test_the_environment_sets_what_flags_do(nights: Nights) -> None:
    nights.night(environ={"NIGHTLY_MAX_DROP": "7", "NIGHTLY_SUITE": "quickstart"})
    (asked,), (compared,) = nights.calls("run"), nights.calls("compare")
    assert (asked[1], compared[compared.index("--max-drop") + 1]) == ("quickstart", "7")


def pooled(nights: Nights) -> list[str]:
    (words,) = nights.calls("compare")
    return words[1 : words.index("--max-drop") - 1]


def test_the_last_seven_nights_are_pooled(nights: Nights) -> None:
    earlier = nights.earlier(*[0] * 8)
    nights.night()
    assert pooled(nights) == earlier[-6:]


def test_nights_that_infrastructure_spoilt_are_not_pooled(nights: Nights) -> None:
    first, _, third, fourth = nights.earlier(0, 3, 4, 1)
    nights.night()
    assert pooled(nights) == [first, third, fourth]


def test_a_night_whose_folder_is_gone_is_not_pooled(nights: Nights) -> None:
    first, second = nights.earlier(0, 0)
    (nights.folder / first).rmdir()
    nights.night()
    assert pooled(nights) == [second]


def test_one_night_can_stand_alone(nights: Nights) -> None:
    nights.earlier(0, 0)
    nights.night("--nights", "1")
    assert pooled(nights) == []


@pytest.mark.parametrize("code", [3, 4])
@pytest.mark.parametrize(
    ("before", "red"),
    [((), False), ((0, 3), False), ((3, 0, 4), False), ((3, 4), True), ((1, 3, 3, 3), True)],
    ids=str,
)
def test_nights_without_a_decision_are_red_from_the_third_in_a_row(
    nights: Nights, before: tuple[int, ...], red: bool, code: int
) -> None:
    nights.earlier(*before)
    assert nights.night("--red-after", "3", compare=code).returncode == (code if red else 0)


def test_a_night_without_a_decision_is_warned_of(nights: Nights) -> None:
    done = nights.night("--red-after", "3", compare=4, environ={"GITHUB_ACTIONS": "true"})
    assert "::warning title=nightly::a drop was seen that may be chance" in done.stdout


def test_a_worse_night_is_red_at_once(nights: Nights) -> None:
    assert nights.night("--red-after", "3", compare=1).returncode == 1


def test_the_history_keeps_the_code_that_was_forgiven(nights: Nights) -> None:
    nights.night("--red-after", "3", compare=4)
    assert nights.history() == ["4"]


@pytest.mark.parametrize(("attempts", "warned"), [(4, True), (5, False)])
def test_a_baseline_of_few_attempts_is_warned_of(
    nights: Nights, attempts: int, warned: bool
) -> None:
    nights.baseline(attempts=attempts)
    assert (f"the baseline has {attempts} attempts" in nights.night().stderr) == warned


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--baseline", "none"),
        ("--baseline",),
        ("--baseline", "base", "--nights", "0"),
        ("--baseline", "base", "--red-after", "soon"),
        ("--baseline", "base", "--max-dorp", "2"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_runs_nothing(nights: Nights, flags: tuple[str, ...]) -> None:
    done = nights.script(*flags)
    assert (done.returncode, nights.runs.exists()) == (2, False)


def test_a_baseline_that_does_not_say_its_attempts_is_wrong_usage(nights: Nights) -> None:
    (nights.folder / "base" / "run.json").write_text("{}")
    assert nights.night().returncode == 2


def test_a_folder_that_cannot_be_made_is_infrastructure(nights: Nights) -> None:
    nights.runs.write_text("a file")
    assert nights.night().returncode == 3


def test_the_workflow_only_calls_the_script() -> None:
    workflow = yaml.safe_load((CHECKOUT / ".github/workflows/nightly.yml").read_text())
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == [
        "./setup.sh",
        "./nightly.sh --red-after 3 --report nightly-report",
        'cat nightly-report/compare.md >>"$GITHUB_STEP_SUMMARY"',
    ]
