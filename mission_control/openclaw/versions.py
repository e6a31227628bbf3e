"""Versions of OpenClaw: `YYYY.M.PATCH`, a correction `-N`, a pre-release `-beta.N`, and `dev` builds.

PATCH counts within the month and is no day: 33 and up are the long-term line.
"""

import re
from dataclasses import dataclass
from functools import total_ordering

DEFAULT_MINIMUM = "2026.02.9"
BLANK_MINIMUM = "2026.1.30"

_SHAPE = re.compile(
    r"v?(?P<year>\d{4})\.(?P<month>\d{1,2})\.(?P<patch>\d{1,6})"
    r"(?:-(?:(?P<revision>\d{1,6})|(?P<stage>[A-Za-z]+)[.-]?(?P<number>\d{1,6})?))?(?:\+[0-9A-Za-z.-]+)?"
)
_STAGES = {"dev": -4, "alpha": -3, "beta": -2, "rc": -1}
_RELEASED = 0


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A parsed version, ordered by age."""

    year: int
    month: int
    patch: int
    stage: int = _RELEASED
    number: int = 0  # of the pre-release, or of the correction

    def __lt__(self, other: "Version") -> bool:
        """Return whether this version is the older one."""
        return self._key < other._key

    @property
    def _key(self) -> tuple[int, int, int, int, int]:
        return (self.year, self.month, self.patch, self.stage, self.number)


@dataclass(frozen=True, slots=True)
class Compatibility:
    """Whether a gateway's version will do; `text` says what people should know, empty where all is well."""

    is_fine: bool
    text: str = ""


def parse(text: str | None) -> Version | None:
    """Return a version, or None for what is none."""
    found = _SHAPE.fullmatch((text or "").strip())
    if found is None or not 1 <= int(found["month"]) <= 12:
        return None
    year, month, patch = int(found["year"]), int(found["month"]), int(found["patch"])
    if found["stage"]:
        stage = _STAGES.get(found["stage"].lower())
        return None if stage is None else Version(year, month, patch, stage, int(found["number"] or 0))
    return Version(year, month, patch, _RELEASED, int(found["revision"] or 0))


def is_development(text: str | None) -> bool:
    """Return whether a version names a build from source."""
    return (text or "").strip().lower() in ("dev", "development", "0.0.0", "0.0.0-dev")


def minimum_of(setting: str) -> Version | None:
    """Return the least version that a setting asks for; None when the setting is no version."""
    return parse(setting.strip() or BLANK_MINIMUM)


def compatibility(version: str | None, minimum: str = DEFAULT_MINIMUM) -> Compatibility:
    """Hold a gateway's version against the least one; only what is known to be too old is refused."""
    least = minimum_of(minimum)
    if least is None:
        return Compatibility(False, f"GATEWAY_MIN_VERSION is no version of OpenClaw: {minimum}")
    if is_development(version):
        return Compatibility(True, "The gateway is a development build; its version cannot be checked.")
    found = parse(version)
    if found is None:
        return Compatibility(True, f"The gateway's version is not known: {version or 'it names none'}.")
    if found < least:
        return Compatibility(
            False,
            f"The gateway runs OpenClaw {version}; {minimum.strip() or BLANK_MINIMUM} or newer is needed."
            " Update it with `openclaw update`.",
        )
    return Compatibility(True)
