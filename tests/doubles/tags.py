"""Names of images that one test run makes for itself: several runs may share a daemon."""

import os


def own_tag(name: str) -> str:
    """Return a tag that no other process uses."""
    return f"evalkit-test/{name}:{os.getpid()}"
