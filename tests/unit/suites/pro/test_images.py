import pytest

from evalkit.suites.pro.images import image_tag

SHA, ENV = "0123456789" * 4, "abcdef0123" * 4
KEPT = "ec0f940ef0e8e3b61078f145f34dc40d1938e6c5"


@pytest.mark.parametrize(
    ("repo", "instance", "tag"),
    [
        ("NodeBB/NodeBB", f"NodeBB__NodeBB-{SHA}-v{ENV}", f"nodebb.nodebb-NodeBB__NodeBB-{SHA}-v{ENV}"),
        ("navidrome/navidrome", f"navidrome__navidrome-{SHA}", f"navidrome.navidrome-navidrome__navidrome-{SHA}"),
        ("NodeBB/NodeBB", f"NodeBB__NodeBB-{SHA}-vnan", f"nodebb.nodebb-NodeBB__NodeBB-{SHA}"),
        ("element-hq/element-web", f"element-hq__element-web-{SHA}-vnan", f"element-hq.element-element-hq__element-web-{SHA}"),
        ("element-hq/element-web", f"element-hq__element-web-{KEPT}-vnan", f"element-hq.element-web-element-hq__element-web-{KEPT}-vnan"),
    ],
    ids=["own case kept", "no suffix", "vnan dropped", "short name", "the one exception"],
)  # fmt: skip
def test_a_tag_follows_the_official_rule(repo: str, instance: str, tag: str) -> None:
    assert image_tag(f"instance_{instance}", repo) == tag


def test_a_long_tag_is_cut_at_128_characters() -> None:
    tag = image_tag(f"instance_gravitational__teleport-{SHA}-v{ENV}", "gravitational/teleport")
    whole = f"gravitational.teleport-gravitational__teleport-{SHA}-v{ENV}"
    assert tag == whole[:128] != whole
