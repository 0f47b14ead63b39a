"""Going on with a run: under the same conditions, or with new attempts beside the old ones."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from evalkit.campaign.conditions import DECISIVE, EXTENT, differences
from evalkit.errors import ConfigError
from evalkit.store import RunFolder

_KEPT = ("run_id", "started", "first_attempt", "since")
_SHOWN = 12


def run_folder(output: Path | None, run_id: str, *, resume: bool) -> Path:
    """Return where a run is put down. Raises ConfigError where one to resume is not named."""
    if resume and output is None:
        raise ConfigError("--resume needs the run's folder", hint="name it by -o RUN_DIR")
    return output or Path("runs") / run_id


def agreed(
    folder: RunFolder, now: Mapping[str, JsonValue], *, allow_changes: bool
) -> dict[str, JsonValue]:
    """Return what run.json is to say of a run that is begun, or gone on with.

    Under changed conditions new attempts are numbered on from the old ones, which no longer count.
    Raises ConfigError, with the differences, where changes are not allowed.
    """
    then = folder.manifest
    if not then:
        return {**now, "first_attempt": 1, "sessions": [now["started"]]}
    changes, grown = differences(then, now), differences(then, now, EXTENT)
    if (changes or grown) and not allow_changes:
        shown = [f"\n  {change}" for change in (*changes, *grown)]
        more = f"\n  and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        raise ConfigError(
            f"{folder.path} was begun otherwise:{''.join(shown[:_SHOWN])}{more}",
            hint="--allow-changes goes on all the same: what was made under other conditions stays "
            "beside the new attempts and does not count",
        )
    manifest = {**now, "first_attempt": 1, **{key: then[key] for key in _KEPT if key in then}}
    sessions = then.get("sessions")
    manifest["sessions"] = [*(sessions if isinstance(sessions, list) else []), now["started"]]
    if changes:
        manifest["first_attempt"] = _last_attempt(folder) + 1
        manifest["since"] = now["started"]
    if changes or grown:
        earlier = then.get("earlier")
        page: JsonValue = {
            "first_attempt": then.get("first_attempt", 1),
            "until": now["started"],
            "changes": [*changes, *grown],
            **{key: then.get(key) for key in (*DECISIVE, *EXTENT)},
        }
        manifest["earlier"] = [*(earlier if isinstance(earlier, list) else []), page]
    return manifest


def resume_command(folder: Path, arguments: Sequence[str] | None = None) -> str:
    """Return the command that goes on with the run of this one, or of one with `arguments`."""
    typed = sys.argv[1:] if arguments is None else arguments
    arguments = [word for word in typed if word != "--allow-changes"]
    if "-o" not in arguments:
        arguments += ["-o", str(folder)]
    if "--resume" not in arguments:
        arguments.append("--resume")
    return shlex.join(["evalkit", *arguments])


def _last_attempt(folder: RunFolder) -> int:
    begun = [
        int(name)
        for path in folder.path.glob("tasks/*/*")
        if (name := path.name.partition(".")[0]).isdecimal()
    ]
    return max(begun, default=0)
