"""A run folder whose every text is an attack on whoever reads the report (group H)."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.types import Outcome
from tests.doubles.tasks import make_result

PAYLOAD = (
    "<script>document.title='HIT'</script><img src=x onerror=\"document.title='HIT'\">"
    "<svg onload=alert(1)></svg>\"><b onmouseover=\"alert(1)\">' onfocus='alert(1)' autofocus='"
    "</pre></details></title></textarea></style></script><iframe srcdoc='<script>alert(1)</script>'>"
    "<meta http-equiv=refresh content='0;url=http://192.0.2.1/'><base href='http://192.0.2.1/'>"
    "<link rel=stylesheet href='http://192.0.2.1/x.css'><form action='http://192.0.2.1/'>"
    "<a href='javascript:alert(1)'>x</a> [x](javascript:alert(1)) ![x](http://192.0.2.1/x.png) "
    "$$\\href{javascript:alert(1)}{x}$$ \\(x\\) {{ 7 * 191 }} {% raw %} ${7*191} <!-- --> ]]> &lt;b&gt;"
)
HARMLESS = re.sub(r"[^\w\s]", "x", PAYLOAD)
"""As long, and of as many words and lines."""
CONTROLS = "\x00\x07\x1b]0;title\x07\u202egnp\u202c\ufeff"
"""What a terminal or a reader's eye obeys."""


def write_hostile_run(folder: Path, payload: str = PAYLOAD) -> Path:
    """Write the run; of task `demo` everything is there, of the task named by the payload a line."""
    attempt = folder / "tasks" / "demo" / "1"
    attempt.mkdir(parents=True)
    _write(folder / "run.json", [_manifest(payload)])
    shared: dict[str, Any] = {"repo": payload, "language": payload, "reason": payload}
    lines = [
        make_result(error=payload, flags=("read_outside",), **shared),
        make_result(task_id=payload, outcome=Outcome.INFRA_ERROR, error=payload, **shared),
    ]
    _write(folder / "results.jsonl", [line.model_dump(mode="json") for line in lines])
    _write(attempt / "trajectory.jsonl", _trajectory(payload))
    (attempt / "patch.diff").write_text(
        f"diff --git a/{payload} b/{payload}\n--- a/{payload}\n+++ b/{payload}\n"
        f"@@ -1,2 +1,2 @@ {payload}\n-{payload}\n+{payload}\n {payload}\n",
        encoding="utf-8",
    )
    for name in ("stdout.log", "stderr.log"):
        (attempt / name).write_text(f"{payload}\n{CONTROLS}\n", encoding="utf-8")
    evidence = {"applied": payload, "apply_log": payload, "statuses": {payload: payload}}
    finding = {"flag": payload, "turn": 1, "excerpt": payload}
    _write(attempt / "evidence.json", [evidence])
    _write(attempt / "verdict.json", [{"reasons": [payload]}])
    _write(attempt / "audit.json", [{"findings": [finding, {**finding, "turn": payload}]}])
    return folder


def _manifest(payload: str) -> Mapping[str, Any]:
    texts = dict.fromkeys(("suite", "revision", "model", "agent", "evalkit"), payload)
    return {
        **texts,
        "selected": ["demo", payload],
        "attempts": 1,
        "engine": {"engine": payload, "version": payload},
        "runner": {"sampling": {payload: payload}, "limits": {"turns": payload}},
        "host": {"cpus": payload, "memory_gib": payload},
    }


def _trajectory(payload: str) -> Sequence[Mapping[str, Any]]:
    usage = {"prompt_tokens": payload, "completion_tokens": 3}
    call = {"name": payload, "arguments": payload}
    return [
        {"kind": "message", "role": payload, "content": payload},
        {"kind": "message", "role": "user", "content": [{"type": "text", "text": payload}]},
        {"kind": "turn", "turn": 1, "t0": 1, "t1": 2, "usage": usage, "text": payload + CONTROLS,
         "finish_reason": payload, "tool_calls": [call]},
        {"kind": "tool", "turn": 1, "name": payload, "arguments": {payload: payload},
         "observation": f"{payload}\n\ud800{CONTROLS}"},
        {"kind": "turn", "turn": 2, "t0": 1, "t1": 2, "usage": {}, "text": "", "tool_calls": [call]},
        {"kind": "fault", "error": payload},
        {"kind": payload, "more": payload},
        {"kind": "stop", "reason": payload},
    ]  # fmt: skip


def _write(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
