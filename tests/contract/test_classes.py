"""Every class has one meaning: one style sheet defines it, for the features that the sheet names."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

STATIC, TEMPLATES = Path(__file__).parents[2] / "static" / "css", Path(__file__).parents[2] / "templates"
SHEETS = {str(path.relative_to(STATIC)): path.read_text() for path in sorted(STATIC.rglob("*.css"))}
# These change what other sheets define: on paper, and beside an open task.
ADAPTING = {"print.css", "share.css"}
CALLS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.S)


def selectors(text: str) -> Iterator[str]:
    text = re.sub(r"/\*.*?\*/|@(?:import|layer)[^{;]*;", "", text, flags=re.S)
    for rule in re.findall(r"([^{};]+)\{", text):
        if not rule.strip().startswith("@"):
            yield from (one.strip() for one in re.split(r",(?![^()]*\))", rule))


def defined() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for sheet, text in SHEETS.items():
        for selector in selectors(text):
            if sheet not in ADAPTING and re.fullmatch(r"\.[a-zA-Z][\w-]*", selector):
                found.setdefault(selector[1:], set()).add(sheet)
    return found


def used() -> dict[str, set[str]]:
    """The features whose templates write a class, for each class."""
    found: dict[str, set[str]] = {}
    for path in TEMPLATES.rglob("*.html"):
        feature = path.parent.relative_to(TEMPLATES).as_posix().removesuffix("/settings")
        for written in re.findall(r'\bclass="([^"]*)"|"class": "([^"]*)"', path.read_text()):
            for name in CALLS.sub(" ", "".join(written)).split():
                found.setdefault(name, set()).add(feature)
    return found


def features_of(sheet: str) -> set[str]:
    """The features that a sheet names in its first line; none when it is for all of them."""
    declared = re.match(r"/\* For: ([\w/, ]+)\.", SHEETS[sheet])
    return set(declared[1].split(", ")) if declared else set()


def test_no_class_is_defined_twice() -> None:
    assert {name: sheets for name, sheets in defined().items() if len(sheets) > 1} == {}


@pytest.mark.parametrize("sheet", [one for one in SHEETS if features_of(one)])
def test_classes_of_a_feature_are_written_by_its_templates_alone(sheet: str) -> None:
    mine, uses = features_of(sheet), used()
    names = {name for name, sheets in defined().items() if sheets == {sheet}}
    assert {name: uses[name] - mine for name in names if uses.get(name, set()) - mine} == {}


def test_sheets_of_pages_say_whose_they_are() -> None:
    unsaid = [one for one, text in SHEETS.items() if one.startswith("pages/") and not features_of(one)]
    assert [one for one in unsaid if "@layer" in SHEETS[one]] == []
