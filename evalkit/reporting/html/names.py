"""Names of a report's files."""

import re
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from evalkit.types import FOLDER_NAME


def page_name(task_id: str, attempt: int) -> str:
    """Return the name of an attempt's page, safe whatever the id.

    The number stands first: so no system takes it for a device (`con.html`). Ids that a folder
    cannot have, or that differ from their lower case, carry a hash: some systems see no case.
    """
    name = task_id if re.fullmatch(FOLDER_NAME, task_id) else "task"
    if name != task_id or name != name.lower():
        name = f"{name[:180]}-{sha256(task_id.encode('utf-8', 'replace')).hexdigest()[:12]}"
    return f"{attempt}_{name}.html"


def run_names(paths: Iterable[Path]) -> list[str]:
    """Return a folder name for each run, all different, also where case is not seen."""
    names: list[str] = []
    for path in paths:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.resolve().name).strip(".-") or "run"
        name, number = stem, 1
        while name.lower() in {one.lower() for one in names} | {"charts"}:
            number += 1
            name = f"{stem}-{number}"
        names.append(name)
    return names
