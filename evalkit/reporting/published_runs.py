"""Published runs of SWE-bench Pro, whose verdicts are read instance by instance when asked for.

Where they lie and what to know of each stands in `reports/published/verdicts.yaml`; the verdicts
themselves are others' and not part of evalkit.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from evalkit.config.content import content_root
from evalkit.config.names import unknown_name
from evalkit.config.yaml_files import read_yaml, validate
from evalkit.errors import SourceError
from evalkit.reporting.side import Side, Tried
from evalkit.sources import Pinned
from evalkit.types import Record

PREFIX = "published:"
_LOCAL = "--published DIR takes a folder of yours that holds NAME/eval_results.json or NAME.json"
_INSTANCE = re.compile(r"instance_(?P<owner>[\w.-]+?)__(?P<repo>[\w.-]+?)-[0-9a-f]{40}(-v\w*)?")
"""The commit of the solution, then of the image's version or `nan`."""
_Verdicts = TypeAdapter(dict[str, bool])


class PublishedRun(Record):
    """One run."""

    model: str
    caveats: tuple[str, ...]


class Catalogue(Record):
    """The content of verdicts.yaml."""

    suite: str
    repository: str
    """A URL, for git."""
    commit: str
    folder: str
    """In the repository; holds NAME/eval_results.json."""
    caveats: tuple[str, ...]
    """Of every run."""
    runs: Mapping[str, PublishedRun]


def catalogue() -> Catalogue:
    """Read which published runs there are."""
    path = content_root() / "reports" / "published" / "verdicts.yaml"
    return validate(Catalogue, read_yaml(path), str(path))


def published_side(
    name: str, *, local: Path | None, cache: Path, say: Callable[[str], None]
) -> Side:
    """Return the verdicts of a published run, from `local` or else fetched once into `cache`.

    Raises ConfigError for a name that is not in the catalogue, SourceError where the verdicts
    cannot be had or are not what they should be.
    """
    known = catalogue()
    if name not in known.runs:
        raise unknown_name("published run", name, known.runs)
    run = known.runs[name]
    verdicts = _read(local or fetch_verdicts(known, cache, say), name)
    return Side(
        name=PREFIX + name,
        model=run.model,
        suite=known.suite,
        revision=f"published, {known.commit[:12]}",
        tasks={
            instance: Tried(repo=_repo(instance, name), planned=1, resolved=int(resolved))
            for instance, resolved in verdicts.items()
        },
        caveats=(
            *(f"{PREFIX}{name}: {text}" for text in run.caveats),
            *(f"published verdicts: {text}" for text in known.caveats),
        ),
    )


def fetch_verdicts(known: Catalogue, cache: Path, say: Callable[[str], None]) -> Path:
    """Return a folder with the verdicts of the catalogue's commit, fetched once.

    Raises SourceError with what git said where it fails.
    """
    pinned = Pinned(
        what="published verdicts",
        repository=known.repository,
        commit=known.commit,
        paths=(known.folder,),
        instead=_LOCAL,
    )
    return pinned.fetch(cache / "published-verdicts" / known.commit, say) / known.folder


def _read(folder: Path, name: str) -> dict[str, bool]:
    paths = (folder / name / "eval_results.json", folder / f"{name}.json")
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise SourceError(f"{folder} holds neither {name}/eval_results.json nor {name}.json")
    try:
        return _Verdicts.validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]["msg"]
        raise SourceError(f"{path} should map instance ids to true or false: {first}") from error


def _repo(instance: str, name: str) -> str:
    found = _INSTANCE.fullmatch(instance)
    if found is None:
        raise SourceError(f"{PREFIX}{name}: {instance!r} is no instance of SWE-bench Pro")
    return f"{found['owner']}/{found['repo']}"
