"""What it costs to read a text as Markdown, and what becomes of one that costs too much."""

import asyncio
import sys
from html import escape
from pathlib import Path
from types import FrameType

import pytest
from quart import Quart

from mission_control.core.text.markdown import LONGEST, render
from mission_control.web import fragments

TEN_REPORTS = 1_000_000  # calls of functions
HANZI = "".join(chr(0x4E00 + number) for number in range(50))
HOSTILE = {
    "quotes that every line continues": ">" * 100 + "a\n" + "b\n" * LONGEST,
    "a wide table with empty rows": "|".join("a" * 100) + "\n" + "|".join("-" * 100) + "\n" + "x\n" * LONGEST,
    "a long table": "a|b\n-|-\n" + "a|b\n" * LONGEST,
    "opened brackets": "[" * LONGEST,
    "brackets in brackets": "[x]: y\n\n" + "[" * 14_000 + "]" * 14_000,
    "stars": "*a" * 7500 + "b*" * 7500,
    "short points": "- a\n" * LONGEST,
    "addresses in no list": "[\na" * LONGEST,
    "foreign hosts": f"[a](http://{HANZI}.example) " * LONGEST,
    "a heading at last": "a\n" * 14_000 + "===",
}


def calls(text: str) -> int:
    made = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        render(text)
    finally:
        sys.setprofile(before)
    return made


@pytest.fixture
def report() -> str:
    """As much as may be read as Markdown, written by people: prose, lists, long tables, code."""
    return (Path("ARCHITECTURE.md").read_text() * 3).ljust(LONGEST)[:LONGEST]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_takes_no_longer_than_a_long_report(name: str) -> None:
    assert calls(HOSTILE[name][:LONGEST]) < TEN_REPORTS


def test_long_report_stays_within_its_cost(report: str) -> None:
    assert TEN_REPORTS / 20 < calls(report) < TEN_REPORTS / 5


def test_long_report_is_rendered(report: str) -> None:
    html = render(report)
    assert "<h4>Glossary</h4>" in html and html.count("<tr>") > 90


def test_too_expensive_text_is_shown_as_written() -> None:
    text = "- <b> & *a*\n" * 2000
    assert render(text) == f"<p>{escape(text)}</p>".replace("\n", "<br>\n")


@pytest.mark.parametrize("sign", ["> ", "- ", "1. ", "> - "])
def test_deeply_nested_text_is_kept(sign: str) -> None:
    assert render(sign * 3 + "deep") != render(f"{sign * 60}deep") == f"<p>{escape(sign * 60)}deep</p>"


def test_addresses_are_unchanged() -> None:
    assert 'href="http://b%C3%BCcher.example/%C3%A9?a=b%20c"' in render("[a](http://bücher.example/é?a=b%20c)")
    assert ">http://xn--bcher-kva.example/</a>" in render("<http://xn--bcher-kva.example/>")


async def test_rendering_yields_between_texts() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    app = Quart(__name__)
    fragments.install(app)
    page = app.jinja_env.from_string("{% for text in texts %}{{ text | markdown }}{% endfor %}")
    waiting = asyncio.create_task(others())
    html = await page.render_async(texts=["**a**"] * 50)
    waiting.cancel()
    assert html.count("<strong>a</strong>") == 50 and turns >= 50


def test_only_known_names_are_marked() -> None:
    text = "@Mara Lindqvist, @mara and @lead: ask @ScHello or @Marakesh."
    html = render(text, ("Mara Lindqvist", "Kit"))
    marks = ('<span class="mention">@Mara Lindqvist</span>', '<span class="mention">@mara</span>')
    assert all(mark in html for mark in marks) and html.count("mention") == 3
    assert render("@ScHello").count("mention") == 1  # where nobody's name is known
