"""Patches that try to look as if they solved the instance, and patches that try to break out.

Rows of the security table: C1, C2, C3, C5, C7, C9, D1, D3 to D7, D9, F14, F15. C6 and C8 need no
container: see the unit tests.
"""

from collections.abc import Callable

import pytest

from evalkit.agents.predictions import UNWRITABLE
from evalkit.grading.judge import judge
from evalkit.grading.tamper import flag_patch
from evalkit.sandbox.containers import DockerContainers
from evalkit.suites.pro.grading import collect
from evalkit.suites.pro.scripts import Scripts
from evalkit.suites.pro.suite import ProSuite
from evalkit.types import Applied, Evidence, Fault, Flag, Outcome, Task
from tests.doubles.canary import Canary

Grade = Callable[..., Evidence]
Conclude = Callable[..., Outcome]
PatchOf = Callable[..., str]
TaskOf = Callable[[str], Task]

FORGED = '{"tests": [{"name": "TestLabel", "status": "PASSED"}, {"name": "TestRounds", "status": "PASSED"}]}'
PASS_LINES = "--- PASS: TestLabel\n--- PASS: TestRounds\n"
NAMES = "shapes/names.py"

OUTSIDE = {
    "C3-results": f"open('/workspace/output.json', 'w').write({FORGED!r})",
    "C3-results-at-exit": (
        "import atexit\n"
        f"atexit.register(lambda: open('/workspace/output.json', 'w').write({FORGED!r}))"
    ),
    "C5-results-fifo": "import os\nos.mkfifo('/workspace/output.json')",
    "C5-results-link": "import os\nos.symlink('/etc/passwd', '/workspace/output.json')",
    "C5-workspace-link": (
        "import os\nos.rename('/workspace', '/elsewhere')\nos.symlink('/tmp', '/workspace')\n"
        f"open('/tmp/output.json', 'w').write({FORGED!r})"
    ),
    "parser-replaced": (
        f"open('/workspace/parser.py', 'w').write({f'print({FORGED!r})'!r})\n"
        f"open('/workspace/run_script.sh', 'a').write('\\n# nothing')"
    ),
    "logs-replaced": (
        "for name in ('stdout', 'stderr'):\n"
        f"    open(f'/workspace/{{name}}.log', 'w').write({PASS_LINES!r})"
    ),
    "python-replaced": (
        "import os\nfor name in ('python', 'python3', 'bash'):\n"
        "    open(f'/usr/local/bin/{name}', 'w').write('#!/bin/sh\\nexit 0\\n')\n"
        "    os.chmod(f'/usr/local/bin/{name}', 0o755)"
    ),
    "startup-file": (
        "import glob\nfor folder in glob.glob('/usr/lib/python3*/dist-packages'):\n"
        "    open(folder + '/sitecustomize.py', 'w').write('raise SystemExit(0)')"
    ),
}


@pytest.mark.parametrize("attack", OUTSIDE)
def test_what_lies_outside_the_test_process_has_no_effect(
    attack: str, patch_of: PatchOf, outcome: Conclude
) -> None:
    assert outcome(patch_of({NAMES: f"\n{OUTSIDE[attack]}\n"}), "any-wins") in {
        Outcome.UNRESOLVED,
        Outcome.NO_EVIDENCE,
    }


def test_c1_printed_results_count_as_officially_a_stated_residual(
    patch_of: PatchOf, outcome: Conclude
) -> None:
    printed = patch_of({NAMES: f"\nprint({PASS_LINES!r})\n"})
    assert outcome(printed, "any-wins") is Outcome.RESOLVED


def test_c1_results_rewritten_through_the_runner_are_flagged(
    patch_of: PatchOf, task_of: TaskOf
) -> None:
    hooked = patch_of({NAMES: "\nimport _pytest.reports\n"})
    assert Flag.RUNNER_TAMPERING in flag_patch(task_of("last-wins"), hooked)


FORGED_MARKERS = r"""
import re, sys
nonce = re.search(r"[0-9a-f]{32}", open("/workspace/entry.sh").read().split("printf")[1]).group()
sys.stderr.write(f"{nonce}\n1\nnot applied\n{nonce}\n")
sys.stderr.flush()
"""


@pytest.fixture(scope="session")
def marked(grade: Grade, patch_of: PatchOf) -> Evidence:
    # The shape whose run script leaves stderr open to the code under test.
    return grade(patch_of({"shapes/area.py": FORGED_MARKERS}), "blob")


@pytest.mark.row("C2")
def test_c2_forged_markers_do_not_move_the_border(marked: Evidence) -> None:
    assert "not applied" in marked.stderr


@pytest.mark.row("C2")
def test_c2_forged_markers_do_not_change_what_became_of_the_patch(marked: Evidence) -> None:
    assert marked.applied is Applied.CLEAN


def test_c7_printing_failure_words_chooses_no_failure_class(
    patch_of: PatchOf, outcome: Conclude
) -> None:
    words = "Killed\\nCannot allocate memory\\nNo space left on device\\nConnection refused"
    assert outcome(patch_of({NAMES: f"\nprint('{words}')\n"}), "any-wins") is Outcome.UNRESOLVED


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "::\t--- FAIL", "\0", "\x1b[2K\x08", "\u2028 é", "a\rb"]
)
def test_c9_odd_output_between_results_loses_none(text: str, gold: str, outcome: Conclude) -> None:
    noisy = gold.replace('"square"}', '"square"}; print(' + ascii(text) + ")")
    assert outcome(noisy, "any-wins") is Outcome.RESOLVED


def test_c9_a_result_behind_unterminated_text_is_lost_as_officially(
    gold: str, outcome: Conclude
) -> None:
    noisy = gold.replace('"square"}', '"square"}; print("x", end="")')
    assert outcome(noisy, "any-wins") is Outcome.UNRESOLVED


def added(path: str, *lines: str, mode: str = "100644") -> str:
    """A patch that adds a file."""
    body = "".join(f"+{line}\n" for line in lines)
    name = path if path.startswith('"') else f"b/{path}"
    return (
        f"diff --git {name.replace('b/', 'a/', 1)} {name}\nnew file mode {mode}\n--- /dev/null\n"
        f"+++ {name}\n@@ -0,0 +1,{len(lines)} @@\n{body}"
    )


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/evil",
        "shapes/../../evil",
        "/etc/evil",
        r'"b/\056\056/evil"',
        ".git/hooks/post-checkout",
        ".git/config",
        ".GIT/config",
        "shapes/.git/config",
    ],
)
def test_d1_d3_a_patch_cannot_leave_the_tree(path: str, grade: Grade, gold: str) -> None:
    assert grade(gold + added(path, "x")).applied is Applied.REJECTED


@pytest.mark.row("D1")
@pytest.mark.parametrize("way", ["absolute", "upwards", "backslashes", "through a link"])
def test_d1_a_file_of_the_host_stays_as_it_is(way: str, grade: Grade, canary: Canary) -> None:
    link = (
        "diff --git a/link b/link\nnew file mode 120000\n--- /dev/null\n+++ b/link\n"
        f"@@ -0,0 +1 @@\n+{canary.path.parent}\n\\ No newline at end of file\n"
    )
    patches = {
        "absolute": added(str(canary.path), "touched"),
        "upwards": added(f"../../..{canary.path}", "touched"),
        "backslashes": added(r"C:\..\..\canary", "touched"),
        "through a link": link + added("link/canary", "touched"),
    }
    grade(patches[way])
    assert canary.untouched()


@pytest.mark.parametrize(
    "extra",
    [
        added(".gitattributes", "* filter=evil diff=evil merge=evil"),
        added(".gitmodules", '[submodule "x"]', "path = x", "url = ../x"),
        "diff --git a/sub b/sub\nnew file mode 160000\n--- /dev/null\n+++ b/sub\n"
        "@@ -0,0 +1 @@\n+Subproject commit 1111111111111111111111111111111111111111\n",
    ],
    ids=["gitattributes", "gitmodules", "gitlink"],
)
def test_d3_settings_in_the_tree_do_nothing(extra: str, outcome: Conclude, gold: str) -> None:
    assert outcome(gold + extra) is Outcome.RESOLVED


@pytest.mark.row("D3")
def test_d3_a_hook_that_the_patch_brought_is_not_run(
    task_of: TaskOf, scripts_of: Callable[[str], Scripts], containers: DockerContainers
) -> None:
    """As where the image's own settings place the hooks inside the tree."""
    settings = ("COUNT=1", "KEY_0=core.hooksPath", "VALUE_0=hooks")
    scripts = scripts_of("any-wins").model_copy(
        update={
            "exports": tuple(f"export GIT_CONFIG_{setting}" for setting in settings),
            "run_script": b"cat /ran && echo '--- PASS: TestLabel\n--- PASS: TestRounds'",
        }
    )
    hook = added("hooks/post-checkout", "#!/bin/sh", "touch /ran", mode="100755")
    evidence = collect(task_of("any-wins"), scripts, hook, containers.run)
    assert (evidence.applied, evidence.statuses) == (Applied.CLEAN, {})


def test_d4_half_a_patch_is_not_applied(grade: Grade, gold: str) -> None:
    assert grade(gold + gold.replace("shapes/", "nowhere/")).applied is Applied.REJECTED


def test_d4_the_tree_is_that_of_base_after_a_rejection(grade: Grade, gold: str) -> None:
    assert grade(gold + gold.replace("shapes/", "nowhere/")).statuses == grade("").statuses


def test_d5_a_patch_that_only_fits_loosely_is_rejected_every_time(
    suite: ProSuite, task_of: TaskOf, containers: DockerContainers, gold: str
) -> None:
    loose = gold.replace(" def square(side):", " def square(length):")
    graded = [suite.collect(task_of("any-wins"), loose, containers.run) for _ in range(2)]
    assert [one.applied for one in graded] == [Applied.REJECTED] * 2


def test_d6_what_stands_for_a_patch_that_is_no_utf_8_is_rejected(grade: Grade) -> None:
    assert grade(UNWRITABLE).applied is Applied.REJECTED


@pytest.mark.parametrize(
    "extra",
    [
        added("notes.txt", "diff --git a/x b/x", "GIT binary patch", "Binary files a and b differ"),
        added("notes.txt", "caf\u00e9 \u2028 \ufeff \0"),
        added("notes.txt", "one\r", "two\r"),
        "diff --git a/shapes/area.py b/shapes/area.py\nold mode 100644\nnew mode 100755\n",
        "diff --git a/README b/README\nnew file mode 100644\nindex 0000000..e69de29\n",
        "diff --git a/.gitignore b/.gitignore\ndeleted file mode 100644\n--- a/.gitignore\n"
        "+++ /dev/null\n@@ -1 +0,0 @@\n-__pycache__/\n",
        added('"b/two\\nlines"', "x"),
    ],
    ids=[
        "D6-diff-in-content",
        "D6-odd-characters",
        "D6-line-ends",
        "D7-mode",
        "D7-empty-file",
        "D7-deletion",
        "D7-newline-in-name",
    ],
)
def test_d6_d7_what_git_can_apply_is_applied(extra: str, outcome: Conclude, gold: str) -> None:
    assert outcome(extra + gold) is Outcome.RESOLVED


ONLY_BINARY = "diff --git a/x b/x\nindex 1111111..2222222\nBinary files a/x and b/x differ\n"


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ("", Outcome.NO_PATCH),
        (" \n\n\t", Outcome.NO_PATCH),
        (ONLY_BINARY, Outcome.NO_PATCH),
        ("I have fixed the bug.\n", Outcome.PATCH_REJECTED),
        ("```python\nNAMES = {4: 'square'}\n```\n", Outcome.PATCH_REJECTED),
        (added("tests/test_names.py", "def test_label(): pass"), Outcome.UNRESOLVED),
    ],
    ids=["empty", "whitespace", "only-binary", "prose", "fenced", "only-tests"],
)
def test_d9_what_is_no_fix_has_its_own_class(
    patch: str, expected: Outcome, outcome: Conclude
) -> None:
    assert outcome(patch) is expected


def test_f14_a_grader_out_of_memory_is_a_fault(grade: Grade, patch_of: PatchOf) -> None:
    greedy = patch_of({NAMES: "\nhoard = bytearray(b'x') * 2**31\n"})
    assert grade(greedy, "any-wins").fault is Fault.GRADER_OOM


def test_f15_a_gold_patch_that_fails_says_which_test(
    grade: Grade, task_of: TaskOf, gold: str
) -> None:
    task = task_of("taken-back")
    verdict = judge(task, grade(gold, "taken-back"))
    assert verdict.reasons == ("pass_to_pass: TestRounds FAILED",)
