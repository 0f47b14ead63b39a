"""The two scripts that grading runs, and the patch as the official evaluator applies it.

Order and content follow `create_entryscript` and `strip_binary_hunks` of swe_bench_pro_eval.py
(scaleapi/SWE-bench_Pro-os, commit ca10a60a5fcae51e6948ffe1485d4153d421e6c5).
"""

import re

from evalkit.types import Task

WORKSPACE = "/workspace"
PATCH = f"{WORKSPACE}/patch.diff"
RUN_SCRIPT = f"{WORKSPACE}/run_script.sh"
PARSER = f"{WORKSPACE}/parser.py"
STDOUT = f"{WORKSPACE}/stdout.log"
STDERR = f"{WORKSPACE}/stderr.log"
OUTPUT = f"{WORKSPACE}/output.json"

# Everything before the run script speaks on stderr, in three parts that the nonce divides:
# reset and checkout; the exit code of git apply and its words, then what the checkout of the
# tests said; the run script's own stderr. Until the second nonce nothing that the patch brought
# is executed: git apply refuses paths inside .git and beyond symlinks, filters and fsmonitor need
# configuration, which a patch cannot set, and the hooks that an image's core.hooksPath may place
# inside the tree are off once the patch is there. So the first two nonces are ours. The words of
# git apply are cut, for it repeats whole hunks: they must not fill the stream.
#
# The index comes first, which officially it does not: in a fresh container no file has the inode
# that the index remembers, so reset would write every file of the repository anew. Refreshed, it
# writes those that differ. What the files hold is the same, their times stay the image's: 0.2 s
# against 2 in a repository of 1,700 files.
_ENTRY = """\
exec 3>&1 >&2
{exports}
cd {workdir}
git update-index -q --refresh >/dev/null
git reset --hard {base} && git checkout {base} || exit 90
evalkit_words=$(git apply -v {patch} 2>&1)
printf '{nonce}\\n%d\\n%s\\n' "$?" "${{evalkit_words:0:65536}}"
unset evalkit_words
git() {{ command git -c core.hooksPath=/dev/null "$@"; }}
{before}
unset -f git
printf '{nonce}\\n'
exec bash {run_script} {selected} >&3 3>&-
"""

# The container is clean and runs nothing but the instance's parser, so its stream may carry the
# result: that is quicker than fetching a file.
_PARSE = """\
{exports}
cd {workdir}
python {parser} {stdout} {stderr} {output} >&2
exec cat {output}
"""

_BINARY = re.compile(r"Binary files .* differ|GIT binary patch")


def entry_script(task: Task, exports: tuple[str, ...], nonce: str) -> str:
    """Return the bash script that resets, applies, fetches the tests and runs them.

    The selected entries stand in it unquoted: officially bash parses them.
    """
    return _ENTRY.format(
        exports="\n".join(exports),
        workdir=task.workdir,
        base=task.base_commit,
        patch=PATCH,
        nonce=nonce,
        before=task.payload["before_repo_set_cmd"],
        run_script=RUN_SCRIPT,
        selected=task.payload["selected"],
    )


def parse_script(task: Task, exports: tuple[str, ...]) -> str:
    """Return the bash script that turns the two logs into output.json and prints it."""
    return _PARSE.format(
        exports="\n".join(exports),
        workdir=task.workdir,
        parser=PARSER,
        stdout=STDOUT,
        stderr=STDERR,
        output=OUTPUT,
    )


def strip_binary_sections(patch: str) -> str:
    """Return the patch without its binary and its blank sections; the rest is kept exactly."""
    sections: list[list[str]] = [[]]
    for line in patch.split("\n"):  # as git does; splitlines() knows eight more line ends
        if line.startswith("diff --git "):
            sections.append([])
        sections[-1].append(line)
    kept = [
        "\n".join(lines) + ("" if lines is sections[-1] else "\n")
        for lines in sections
        if any(line.strip() for line in lines) and not any(map(_BINARY.fullmatch, lines))
    ]
    return "".join(kept)
