"""Finding a suite by its name or its folder."""

from collections.abc import Callable
from pathlib import Path

from evalkit.config.content import content_names, content_root
from evalkit.config.names import unknown_name
from evalkit.protocols import Images
from evalkit.suites.folder import FolderSuite


def open_suite(
    name_or_folder: str, images: Callable[[], Images], say: Callable[[str], None]
) -> FolderSuite:
    """Open a suite that ships with evalkit, or a folder of the user's with a suite.yaml."""
    folder = Path(name_or_folder)
    if not (folder / "suite.yaml").is_file():
        folder = content_root() / "tasks" / name_or_folder
    if not (folder / "suite.yaml").is_file():
        raise unknown_name("suite", name_or_folder, content_names("tasks"))
    return FolderSuite(folder, images, say)
