"""Instances in SWE-bench Pro's shape: rows, scripts folder and images, all written here.

One small repository with one bug fix, and an instance for each way in which the official run
scripts and parsers are known to differ. `gold` says what the gold patch comes to.
"""

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

from evalkit.config.content import content_root
from evalkit.config.yaml_files import read_yaml, validate
from evalkit.sandbox.images import Images
from evalkit.suites.folder import FolderSuite, SuiteFile
from evalkit.suites.pro.images import image_tag
from evalkit.types import Outcome

REPO = "evalkit/shapes"
IMAGES = "jefzda/sweap-images"

BASE_FILES = {
    ".gitignore": "__pycache__/\n",
    "shapes/__init__.py": "",
    "shapes/area.py": "def square(side):\n    return side * 4\n",
    "shapes/names.py": 'NAMES = {3: "triangle"}\n\n\ndef label(sides):\n    return NAMES[sides]\n',
    "tests/test_area.py": (
        "from shapes.area import square\n\n\ndef test_four():\n    assert square(4) == 16\n"
    ),
}
FIXED_FILES = {
    "shapes/area.py": "def square(side):\n    return side * side\n",
    "shapes/names.py": (
        'NAMES = {3: "triangle", 4: "square"}\n\n\ndef label(sides):\n    return NAMES[sides]\n'
    ),
    "tests/test_area.py": (
        "from shapes.area import square\n\n\ndef test_four():\n    assert square(4) == 16\n\n\n"
        "def test_three():\n    assert square(3) == 9\n"
    ),
    "tests/test_names.py": (
        "import pytest\n\nfrom shapes.names import label\n\n\n"
        '@pytest.mark.parametrize("sides", [3, 4], ids=["three sides", "four sides"])\n'
        "def test_label(sides):\n    assert label(sides)\n"
    ),
}

DOCKERFILE = """\
FROM {base}
ADD app.tar /
WORKDIR /app
ENTRYPOINT ["/bin/bash"]
"""


class History(NamedTuple):
    """The repository: two commits, and what is between them."""

    base: str
    solution: str
    tree: bytes
    """A tar of /app with the whole history, base checked out."""
    patch: str
    test_patch: str


class Shape(NamedTuple):
    """What makes one instance differ from the others."""

    run_script: str
    parser: str
    fail_to_pass: list[str]
    pass_to_pass: list[str]
    gold: Outcome = Outcome.RESOLVED
    selected: tuple[str, ...] = ("tests/test_area.py", "tests/test_names.py")
    env: str = 'ENV PYTEST_ADDOPTS="--tb=short -v"\n'


# Reads both logs as text, strictly and in the locale's encoding, like nearly all of the real ones.
READ = "import json, re, sys\nout, err = open(sys.argv[1]).read(), open(sys.argv[2]).read()\n"
WRITE_ALL = """
tests = [{"name": name, "status": status} for name, status in found]
json.dump({"tests": tests}, open(sys.argv[3], "w"))
"""
WRITE_LAST = "found = dict(found).items()" + WRITE_ALL
# A name ends at its first blank.
PYTEST_LINES = r"""
found = re.findall(r"^(\S+::\S+).* (PASSED|FAILED|SKIPPED|ERROR)\b", out, re.M)
"""
GO_LINES = r"""
found = [(name, status + "ED") for status, name in re.findall(r"^--- (PASS|FAIL): (\S+)", {}, re.M)]
"""

RUN_PYTEST = """#!/bin/bash
set -e
IFS=',' read -r -a files <<< "$1"
python -m pytest -p no:cacheprovider "${files[@]}" || true
"""
RUN_EACH = """#!/bin/bash
set -e
IFS=',' read -r -a files <<< "$1"
for file in "${files[@]}"; do python -m pytest -p no:cacheprovider "$file"; done
"""
CHECK = """#!/bin/bash
check() { if python -c "$2" 2>/dev/null; then echo "--- PASS: $1"; else echo "--- FAIL: $1"; fi; }
"""
LABEL = 'check TestLabel "from shapes.names import label; label(4)"\n'
SQUARE = 'check TestSquare "from shapes.area import square; assert square(3) == 9"\n'
ROUNDS = CHECK + LABEL + 'check TestRounds pass\ncheck TestRounds "assert False"\n'
BLOB = """#!/bin/bash
echo "> starting {1..3}"
python - "$1" <<'EOF'
import json, sys
from shapes.area import square
print(json.dumps({"asked for": sys.argv[1], "passes": ["three"] if square(3) == 9 else []}, indent=1))
EOF
echo "> done"
"""
CUT_BLOB = r"""
blob = json.loads(re.search(r"^\{$.*^\}$", out, re.M | re.S).group())
found = [(name, "PASSED") for name in blob["passes"]] + [("asked " + blob["asked for"], "PASSED")]
"""
IN_THE_LOCALE = r"""
import locale
found = [(locale.getpreferredencoding(False) + " " + name, status) for name, status in found]
"""

NAMES_CUT = ["tests/test_area.py::test_three", "tests/test_names.py::test_label[four"]
KEPT = ["tests/test_area.py::test_four", "tests/test_names.py::test_label[three"]
ON_STDOUT, ON_STDERR = GO_LINES.format("out"), GO_LINES.format("err")

SHAPES = {
    "last-wins": Shape(RUN_PYTEST, READ + PYTEST_LINES + WRITE_LAST, NAMES_CUT, KEPT),
    "any-wins": Shape(ROUNDS, READ + ON_STDOUT + WRITE_ALL, ["TestLabel"], ["TestRounds"]),
    "taken-back": Shape(
        ROUNDS, READ + ON_STDOUT + WRITE_LAST, ["TestLabel"], ["TestRounds"], Outcome.UNRESOLVED
    ),
    "aborting": Shape(RUN_EACH, READ + PYTEST_LINES + WRITE_ALL, NAMES_CUT, KEPT),
    "blob": Shape(
        BLOB,
        READ + CUT_BLOB + WRITE_ALL,
        ["three"],
        ["asked a[quoted],b$c"],
        selected=('a["quoted"]', r"b\$c"),
    ),
    "on-stderr": Shape(
        CHECK + 'echo "--- PASS: TestLabel"\nexec >&2\n' + LABEL,
        READ + ON_STDERR + WRITE_ALL,
        ["TestLabel"],
        [],
    ),
    "bytes-strict": Shape(
        CHECK + "printf '\\377\\n'\n" + LABEL,
        READ + ON_STDOUT + WRITE_ALL,
        ["TestLabel"],
        [],
        Outcome.NO_EVIDENCE,
    ),
    "bytes-replaced": Shape(
        CHECK + "printf '\\377\\n'\n" + LABEL,
        READ.replace("])", '], errors="replace")') + ON_STDOUT + WRITE_ALL,
        ["TestLabel"],
        [],
        # The official evaluator itself reads both logs strictly.
        Outcome.NO_EVIDENCE,
    ),
    "silent": Shape(CHECK, READ + ON_STDOUT + WRITE_ALL, ["TestLabel"], [], Outcome.NO_EVIDENCE),
    "in-the-locale": Shape(
        CHECK + LABEL + SQUARE,
        READ + ON_STDOUT + IN_THE_LOCALE + WRITE_ALL,
        ["ANSI_X3.4-1968 TestLabel"],
        ["ANSI_X3.4-1968 TestSquare"],
        # The second line is of an old form, which bash only complains of.
        env="ENV LC_ALL=C\nENV LANG en_US.UTF-8\nENV PYTHONUTF8=0\nENV PYTHONCOERCECLOCALE=0\n",
    ),
}


@cache
def history() -> History:
    """Make the repository; the same content and dates give the same commits everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        git = _Git(Path(folder))
        git("init", "-q", "-b", "main")
        base = git.commit(BASE_FILES, "Areas and names")
        solution = git.commit(FIXED_FILES, "Squares")
        git("checkout", "-q", base)
        return History(
            base=base,
            solution=solution,
            tree=_packed(Path(folder)),
            patch=git("diff", base, solution, "--", "shapes").decode(),
            test_patch=git("diff", base, solution, "--", "tests").decode(),
        )


def _packed(folder: Path) -> bytes:
    def as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(folder, "app", filter=as_root)
    return buffer.getvalue()


class _Git:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        who = {"NAME": "developer", "EMAIL": "developer@example.com", "DATE": "1700000000 +0000"}
        self._env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            **{f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()},
        }

    def __call__(self, *arguments: str) -> bytes:
        done = subprocess.run(
            ["git", *arguments], cwd=self._folder, env=self._env, check=True, capture_output=True
        )
        return done.stdout

    def commit(self, files: dict[str, str], message: str) -> str:
        for name, text in files.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        self("add", "-A")
        self("commit", "-q", "-m", message)
        return self("rev-parse", "HEAD").decode().strip()


def pro_id(shape: str) -> str:
    """The id of the instance of a shape: the solution's commit is part of it, as officially."""
    version = hashlib.sha1(shape.encode(), usedforsecurity=False).hexdigest()
    return f"instance_evalkit__shapes-{history().solution}-v{version}"


def pro_row(shape: str) -> dict[str, str]:
    """The instance's row: 16 columns of text, lists as JSON or as Python literals."""
    told, made = history(), SHAPES[shape]
    written = json.dumps if len(shape) % 2 else repr
    tests = " ".join(name for name in FIXED_FILES if name.startswith("tests/"))
    return {
        "repo": REPO,
        "instance_id": pro_id(shape),
        "base_commit": told.base,
        "patch": told.patch,
        "test_patch": told.test_patch,
        "problem_statement": "`square(3)` is 12 and `label(4)` is unknown.",
        "requirements": "- `square` returns the area.\n- `label(4)` returns `square`.",
        "interface": "No new interfaces are introduced.",
        "repo_language": "python",
        "fail_to_pass": written(made.fail_to_pass),
        "pass_to_pass": written(made.pass_to_pass),
        "issue_specificity": "[]",
        "issue_categories": "[]",
        "before_repo_set_cmd": (
            f"git reset --hard {told.base}\ngit clean -fd \ngit checkout {told.base} \n"
            f"git checkout {told.solution} -- {tests}"
        ),
        "selected_test_files_to_run": written(list(made.selected)),
        "dockerhub_tag": image_tag(pro_id(shape), REPO),
    }


def write_pro_data(folder: Path) -> tuple[Path, Path]:
    """Write rows.jsonl and a scripts folder in the official layout; return both paths."""
    rows, scripts = folder / "rows.jsonl", folder / "official"
    rows.write_text("".join(json.dumps(pro_row(shape)) + "\n" for shape in SHAPES), "utf-8")
    for shape, made in SHAPES.items():
        name = pro_id(shape)
        for path, text in {
            f"run_scripts/{name}/run_script.sh": made.run_script,
            f"run_scripts/{name}/parser.py": made.parser,
            f"dockerfiles/base_dockerfile/{name}/Dockerfile": f"FROM debian\n{made.env}",
            f"dockerfiles/instance_dockerfile/{name}/Dockerfile": "FROM base\nENV UV_X=60\n",
        }.items():
            (scripts / path).parent.mkdir(parents=True, exist_ok=True)
            (scripts / path).write_text(text, "utf-8")
    return rows, scripts


def pro_image(shape: str) -> str:
    """The full name of the instance's image."""
    return f"{IMAGES}:{image_tag(pro_id(shape), REPO)}"


def build_pro_images(images: Images) -> None:
    """Build the image of every instance that is not here, on quickstart's Debian base."""
    root = content_root() / "tasks" / "quickstart"
    file = validate(SuiteFile, read_yaml(root / "suite.yaml"), "suite.yaml")
    image, base = file.image, FolderSuite(root, file, lambda: images, print)._base_tag()
    images.ensure_base(
        ref=image.base, suite=image.suite, packages=image.packages, tag=base, say=print
    )
    files = {"app.tar": history().tree}
    for shape in SHAPES:
        if images.digest(pro_image(shape)) is None:
            images.build(pro_image(shape), DOCKERFILE.format(base=base), files, lambda _: None)
