"""Rendering: whole pages, one block of a page, and macros (cards) in a synchronous environment."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from quart import Quart, current_app, render_template

from mission_control.core import markdown, times
from mission_control.core.request_facts import request_began_at
from mission_control.live.recent import moment_of
from mission_control.web.assets import asset, page_assets
from mission_control.web.template_layout import TemplateLayout
from mission_control.web.versions import version_of

_MACROS = "mission_control.macros"


def install(app: Quart) -> None:
    """Prepare both Jinja environments of the app: the asynchronous one for pages, another for macros."""
    _prepare(app.jinja_env)
    app.jinja_env.filters["markdown"] = _prose_in_turn
    macros = Environment(loader=app.jinja_env.loader, auto_reload=app.debug, autoescape=True)
    _prepare(macros)
    app.extensions[_MACROS] = macros


def _prepare(environment: Environment) -> None:
    environment.undefined = StrictUndefined
    environment.autoescape = True
    environment.add_extension(TemplateLayout)
    environment.globals["asset"] = asset
    environment.globals["page_assets"] = page_assets
    environment.filters["markdown"] = _prose
    environment.filters["relative"] = times.relative
    environment.filters["absolute"] = times.absolute
    environment.filters["clock"] = times.clock_time
    environment.filters["iso"] = times.iso
    environment.filters["age"] = times.age
    environment.filters["initials"] = initials
    environment.filters["version_of"] = version_of
    environment.filters["since_read"] = since_read


def _prose(text: str | None, names: tuple[str, ...] = ()) -> Markup:
    """Markdown as safe HTML that htmx leaves alone."""
    if not text:
        return Markup("")
    return Markup('<div class="prose" hx-ignore>{}</div>').format(Markup(markdown.render(text, names)))


async def _prose_in_turn(text: str | None, names: tuple[str, ...] = ()) -> Markup:
    """The same where a page can wait: between its texts everybody else has a turn."""
    prose = _prose(text, names)
    await asyncio.sleep(0)
    return prose


async def read_ahead(*texts: str | None, names: tuple[str, ...] = ()) -> None:
    """Read what a macro is about to show as Markdown, which cannot wait itself: between texts others have a turn."""
    for text in filter(None, texts):
        await _prose_in_turn(text, names)


def since_read(url: str) -> str:
    """Add to the address of a page's stream when the page was read, and by which process: `at` (live/recent.py)."""
    return f"{url}{'&' if '?' in url else '?'}at={moment_of(request_began_at())}"


def initials(name: str) -> str:
    """Up to two capitals for an avatar: `Mara Reyes` gives `MR`."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


async def render_page(template: str, **context: Any) -> str:
    """Render a whole page."""
    return await render_template(template, **context)


async def render_block(template: str, block: str, **context: Any) -> str:
    """Render one named block of a page template, nothing around it; works inside a stream too."""
    page = current_app.jinja_env.get_template(template)
    # Jinja types blocks as synchronous; in Quart's environment they are asynchronous generators.
    parts = cast("AsyncIterator[str]", page.blocks[block](page.new_context(context)))
    return "".join([part async for part in parts])


def render_macro(template: str, macro: str, **arguments: Any) -> str:
    """Render one macro without waiting for anything; fast enough for hundreds of cards."""
    macros: Environment = current_app.extensions[_MACROS]
    return str(getattr(macros.get_template(template).module, macro)(**arguments))


def partial(target: str, html: str, swap: str = "innerMorph") -> str:
    """Wrap a fragment for one region of an open page; `target` is a CSS selector written by us."""
    return f'<hx-partial hx-target="{target}" hx-swap="{swap}">{html}</hx-partial>'
