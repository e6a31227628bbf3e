"""The colours of both themes can be read: WCAG AA for text, 3:1 for borders and signs."""

import math
import re

import pytest

from mission_control.core.paths import data_dir

SURFACES = ("surface-0", "surface-1", "surface-2", "surface-3")
STATES = ("run", "ask", "ok", "warn", "bad")
PAIRS = [
    *((ink, surface, 4.5) for ink in ("ink", "ink-2", "ink-3", "accent") for surface in SURFACES),
    *(("line-strong", surface, 3.0) for surface in SURFACES),
    *((state, surface, 3.0) for state in STATES for surface in (*SURFACES[:3], f"{state}-soft")),
    *((f"{state}-ink", surface, 4.5) for state in STATES for surface in ("surface-2", f"{state}-soft")),
    *((ink, "accent-soft", 4.5) for ink in ("ink", "ink-2", "ink-3", "accent")),
    ("on-accent", "accent", 4.5),
]


def tokens() -> dict[str, tuple[str, str]]:
    source = (data_dir("static") / "css" / "tokens.css").read_text()
    found = re.findall(r"--([\w-]+):\s*light-dark\((oklch\([^)]*\)),\s*(oklch\([^)]*\))\)", source)
    return {name: (light, dark) for name, light, dark in found}


def linear_rgb(colour: str) -> list[float]:
    lightness, chroma, hue = colour[6:-1].split("/")[0].split()
    value, angle = float(lightness.rstrip("%")) / 100, math.radians(float(hue))
    a, b = float(chroma) * math.cos(angle), float(chroma) * math.sin(angle)
    long = (value + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (value - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (value - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return [
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    ]


def luminance(colour: str) -> float:
    red, green, blue = (min(1.0, max(0.0, part)) for part in linear_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colour_pairs_have_enough_contrast(theme: int) -> None:
    colours = {name: both[theme] for name, both in tokens().items()}
    weak = [
        (front, back, round(contrast(colours[front], colours[back]), 2), least)
        for front, back, least in PAIRS
        if contrast(colours[front], colours[back]) < least
    ]
    assert weak == []


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_solid_colours_are_displayable(theme: int) -> None:
    solid = {name: both[theme] for name, both in tokens().items() if "/" not in both[theme]}
    outside = [name for name, colour in solid.items() if not all(-0.002 <= x <= 1.002 for x in linear_rgb(colour))]
    assert outside == []
