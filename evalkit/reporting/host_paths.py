"""Paths of the host, which texts that are passed on do not name."""

import re

_HOST_PATH = re.compile(
    r"(?<![\w./:-])(?:file://)?(?:/[^\s/'\":;,()<>\[\]]+)+/([^\s/'\":;,()<>\[\]]*)"
)


def without_host_paths(text: str) -> str:
    """Leave of each absolute path its last part: a report is passed on, the host's ways are not.

    For texts of this side of the sandbox; what ran inside one has seen no path of the host.
    """
    return _HOST_PATH.sub(r"…/\1", text)
