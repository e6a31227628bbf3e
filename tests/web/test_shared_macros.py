"""Templates call the macros of `templates/ui` without importing them."""

import pytest
from jinja2 import Environment, FileSystemLoader
from quart import Quart

from mission_control.core.paths import data_dir
from mission_control.web.fragments import render_block
from mission_control.web.shared_macros import SharedMacros

BADGE = ">\n    on\n"
CASES = {
    "at the top": ('{{ badge("on", "ok") }}', BADGE),
    "in a macro": ('{% macro state() %}{{ badge("on", "ok") }}{% endmacro %}{{ state() }}', BADGE),
    "defined here": ('{% macro badge(x, y) %}own{% endmacro %}{{ badge("on", "ok") }}', "own"),
    "set here": ('{% set badge = cycler("own") %}{{ badge.next() }}', "own"),
    "an attribute of that name": ("{{ thing.badge() }}", "own"),
}


class Thing:
    def badge(self) -> str:
        return "own"


@pytest.mark.parametrize(("source", "sent"), CASES.values(), ids=list(CASES))
def test_template_knows_the_shared_macros(source: str, sent: str) -> None:
    environment = Environment(loader=FileSystemLoader(data_dir("templates")), extensions=[SharedMacros])
    assert sent in environment.from_string(source).render(thing=Thing())


async def test_block_that_is_rendered_alone_knows_them(app: Quart) -> None:
    async with app.app_context():
        assert "No gateways yet" in await render_block("gateways/index.html", "gateways", gateways=[])
