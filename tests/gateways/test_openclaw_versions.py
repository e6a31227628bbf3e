"""Versions of OpenClaw: which is older, and which will do."""

import pytest

from mission_control.gateways.protocol.target import compatibility, parse

OLDEST_FIRST = [
    "2026.1.30", "2026.02.9", "2026.3.13", "2026.7.1-alpha.1", "2026.7.1-beta.2", "2026.7.1-beta.10", "2026.7.1",
    "2026.7.1-2", "2026.7.35", "2026.9.6", "2026.10.1", "2027.1.1",
]  # fmt: skip


def test_order() -> None:
    parsed = [parse(one) for one in OLDEST_FIRST]
    assert None not in parsed and sorted(one for one in parsed if one) == parsed
    assert parse("v2026.9.6") == parse("2026.9.6+build.5") == parse(" 2026.09.6 ")


@pytest.mark.parametrize(
    "text", ["", None, "latest", "2026.9", "2026.13.1", "2026.9.6-nightly.1", "26.9.6", "2026.9.6.1"]
)
def test_no_versions(text: str | None) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(("version", "minimum", "is_fine", "has_text"), [
    ("2026.9.6", "2026.02.9", True, False),
    ("2026.2.9", "2026.02.9", True, False),
    ("2026.2.9-beta.1", "2026.02.9", False, True),
    ("2026.1.30", "", True, False),
    ("2026.1.29", "  ", False, True),
    ("2026.7.35", "2026.7.33", True, False),
    ("dev", "2026.02.9", True, True),
    ("", "2026.02.9", True, True),
    ("who-knows", "2026.02.9", True, True),
    ("2026.9.6", "newest", False, True),
])  # fmt: skip
def test_what_will_do(version: str, minimum: str, is_fine: bool, has_text: bool) -> None:
    found = compatibility(version, minimum)
    assert (found.is_fine, bool(found.text)) == (is_fine, has_text)
