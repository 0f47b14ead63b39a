"""Finding a suite by its name or its folder."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.config.content import content_names, content_root
from evalkit.config.names import unknown_name
from evalkit.config.yaml_files import read_yaml, validate, with_overrides
from evalkit.protocols import Images, Suite
from evalkit.suites.folder import FolderSuite, SuiteFile
from evalkit.suites.pro.suite import ProFile, ProSuite


def open_suite(
    name_or_folder: str,
    overrides: Sequence[str] = (),
    *,
    images: Callable[[], Images],
    say: Callable[[str], None],
    cache: Path,
) -> Suite:
    """Open a suite that ships with evalkit, or a folder of the user's with a suite.yaml.

    `overrides` change keys of that file, as `key.path=value`. A file that `extends` a suite that
    ships is a part of it: what it does not say is as there. Raises ConfigError.
    """
    folder = Path(name_or_folder)
    if not (folder / "suite.yaml").is_file():
        folder = content_root() / "tasks" / name_or_folder
    if not (folder / "suite.yaml").is_file():
        raise unknown_name("suite", name_or_folder, content_names("tasks"))
    source = folder / "suite.yaml"
    data = read_yaml(source)
    if "extends" in data:
        folder, data = _extended(folder, data)
    data = with_overrides(data, list(overrides))
    if data.get("grading") == "swebench-pro":
        return ProSuite(folder, validate(ProFile, data, str(source)), images, say, cache)
    return FolderSuite(folder, validate(SuiteFile, data, str(source)), images, say)


def _extended(folder: Path, data: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
    """Return the folder of the suite this is a part of, and its keys under those said here."""
    whole = content_root() / "tasks" / str(data["extends"])
    if not (whole / "suite.yaml").is_file():
        raise unknown_name("suite", str(data["extends"]), content_names("tasks"))
    only = {"only": folder / str(data["only"])} if "only" in data else {}
    return whole, {**read_yaml(whole / "suite.yaml"), **data, **only}
