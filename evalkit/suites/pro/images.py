"""The name of an instance's published image."""

_KEEPS_ITS_SUFFIX = "instance_element-hq__element-web-ec0f940ef0e8e3b61078f145f34dc40d1938e6c5-vnan"
"""Published under its full repository name and with the suffix that all others drop."""
_SHORT_NAMES = {"element-hq/element-web": "element"}
_LONGEST_TAG = 128
"""Docker's limit; 211 of the 731 public tags are cut at it."""


def image_tag(instance_id: str, repo: str) -> str:
    """Return the tag by the official rule (helper_code/image_uri.py of SWE-bench_Pro-os).

    `repo` is `owner/name`. The tag is `owner.name-` in lower case, then the id in its own case.
    """
    owner, _, name = repo.lower().partition("/")
    rest = instance_id.removeprefix("instance_")
    if instance_id != _KEEPS_ITS_SUFFIX:
        name = _SHORT_NAMES.get(f"{owner}/{name}", name)
        rest = rest.removesuffix("-vnan")
    return f"{owner}.{name}-{rest}"[:_LONGEST_TAG]
