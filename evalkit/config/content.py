"""Where the content that ships with evalkit lies: tasks, runners, reports."""

from pathlib import Path
from typing import Literal

import evalkit

Kind = Literal["tasks", "runners", "reports"]


def content_root() -> Path:
    """Return the folder that holds `tasks/`, `runners/` and `reports/`.

    In a wheel that is `evalkit/content/`; in a checkout or an editable install it is the
    checkout itself, so that an edit counts at once.
    """
    package = Path(evalkit.__file__).resolve().parent
    packed = package / "content"
    return packed if packed.is_dir() else package.parent


def content_names(kind: Kind) -> list[str]:
    """Return the names a user may give: folders for tasks, YAML files for runners."""
    folder = content_root() / kind
    if kind == "tasks":
        return sorted(path.parent.name for path in folder.glob("*/suite.yaml"))
    return sorted(path.stem for path in folder.glob("*.yaml"))
