"""The entry script and the patch, against what the official evaluator makes of the same input."""

import subprocess

import pytest

from evalkit.suites.pro.entry import entry_script, parse_script, strip_binary_sections
from evalkit.types import Task
from tests.doubles.tasks import make_task

BASE = "b" * 40
NONCE = "0123456789abcdef"
EXPORTS = ('export A="x y"', "export LANG en_US.UTF-8")
CHECKOUT = "git checkout " + "c" * 40 + " -- tests/a.py"


def task(selected: str = "tests/a.py,tests/b.py") -> Task:
    return make_task(
        workdir="/app",
        base_commit=BASE,
        payload={"before_repo_set_cmd": CHECKOUT, "selected": selected},
    )


OFFICIAL_ORDER = [
    *EXPORTS,
    "cd /app",
    f"git reset --hard {BASE}",
    f"git checkout {BASE}",
    "git apply -v /workspace/patch.diff",
    CHECKOUT,
    "bash /workspace/run_script.sh tests/a.py,tests/b.py",
]


def test_the_official_steps_stand_in_the_official_order() -> None:
    script = entry_script(task(), EXPORTS, NONCE)
    places = [script.index(step) for step in OFFICIAL_ORDER]
    assert places == sorted(places)


@pytest.mark.parametrize("addition", ["set -e", "pipefail", "3way", "git clean", "parser.py"])
def test_nothing_that_could_change_a_verdict_is_added(addition: str) -> None:
    assert addition not in entry_script(task(), EXPORTS, NONCE)


@pytest.mark.parametrize("script", ["entry", "parse"])
def test_bash_can_read_the_scripts(script: str) -> None:
    texts = {
        "entry": entry_script(task(), EXPORTS, NONCE),
        "parse": parse_script(task(), EXPORTS),
    }
    assert subprocess.run(["bash", "-n"], input=texts[script].encode(), check=False).returncode == 0


@pytest.mark.parametrize(
    "selected", ["TestA/b[c],TestD", 'a["x y"]', r"TestA/\$b", "TestA#1,Test*", "it's,isn't"]
)
def test_entries_stand_unquoted_for_bash_to_parse(selected: str) -> None:
    line = entry_script(task(selected), EXPORTS, NONCE).splitlines()[-1]
    assert line == f"exec bash /workspace/run_script.sh {selected} >&3 3>&-"


def test_hooks_are_off_for_the_checkout_of_the_tests_alone() -> None:
    lines = entry_script(task(), EXPORTS, NONCE).splitlines()
    place = lines.index(CHECKOUT)
    assert ("hooksPath" in lines[place - 1], lines[place + 1]) == (True, "unset -f git")


def test_the_parser_gets_the_official_arguments() -> None:
    logs = "/workspace/stdout.log /workspace/stderr.log /workspace/output.json"
    assert f"python /workspace/parser.py {logs}" in parse_script(task(), EXPORTS)


def test_the_parser_has_the_same_exports() -> None:
    assert parse_script(task(), EXPORTS).splitlines()[:2] == list(EXPORTS)


TEXT = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n"
DIFFERS = "diff --git a/i.png b/i.png\nindex 1..2 100644\nBinary files a/i.png and b/i.png differ\n"
LITERAL = "diff --git a/i b/i\nindex 1..2\nGIT binary patch\nliteral 3\nKcmZ\n\nliteral 0\n\n"
RENAME = "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n"
CONTENT = (
    "diff --git a/n b/n\n--- a/n\n+++ b/n\n@@ -1 +1 @@\n-GIT binary patch\n+Binary files a differ\n"
)


@pytest.mark.parametrize(
    ("patch", "left"),
    [
        (TEXT, TEXT),
        (TEXT + DIFFERS, TEXT),
        (DIFFERS + TEXT, TEXT),
        (TEXT + LITERAL + RENAME, TEXT + RENAME),
        (DIFFERS, ""),
        ("", ""),
        (" \n\t\n", ""),
        ("a word before\n" + TEXT, "a word before\n" + TEXT),
        ("\n\n" + TEXT, TEXT),
        ("GIT binary patch\n" + TEXT, TEXT),
        (TEXT.rstrip("\n"), TEXT.rstrip("\n")),
        (TEXT + DIFFERS.rstrip("\n"), TEXT),
        (TEXT.rstrip("\n") + DIFFERS, ""),
        (DIFFERS.replace("\n", "\r\n"), DIFFERS.replace("\n", "\r\n")),
        (CONTENT, CONTENT),
        (TEXT + " diff --git is mentioned\n", TEXT + " diff --git is mentioned\n"),
        ("diff --git a/i b/i\nBinary files differ\n", "diff --git a/i b/i\nBinary files differ\n"),
        (
            "diff --git a/i b/i\u2028GIT binary patch\n",
            "diff --git a/i b/i\u2028GIT binary patch\n",
        ),
        ("diff --git a/i b/i\rGIT binary patch\n", "diff --git a/i b/i\rGIT binary patch\n"),
    ],
)
def test_binary_and_blank_sections_are_left_out(patch: str, left: str) -> None:
    assert strip_binary_sections(patch) == left
