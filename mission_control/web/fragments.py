"""Rendering: whole pages, one block of a page, and macros (cards) in a synchronous environment.

Line breaks in templates are for readers: what a page sends does not depend on how its template is indented.

A line break with the indentation around it sends nothing between two tags, after an opening tag and before a closing
one. Everywhere else (inside a tag, between words, between a word and a tag) it sends one space. A call of a macro
counts as a tag, `{{ name }}` as a word, `{% if %}` as an opening and `{% endif %}` as a closing tag.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from enum import Enum
from typing import Any, cast
from zlib import crc32

from jinja2 import Environment, StrictUndefined
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup, escape
from quart import Quart, current_app

from mission_control.core import times
from mission_control.core.request_facts import request_began_at
from mission_control.core.text import markdown
from mission_control.core.text.diffs import steady
from mission_control.events.broker import moment_of
from mission_control.web.assets import asset, page_assets
from mission_control.web.forms import version_of
from mission_control.web.shared_macros import SharedMacros
from mission_control.web.template_cache import CompiledTemplates

_MACROS = "mission_control.macros"

type PageContext = dict[str, Any]  # what a template renders, by the names that it reads


def install(app: Quart) -> None:
    """Prepare both Jinja environments of the app: the asynchronous one for pages, another for macros."""
    _prepare(app.jinja_env, "pages")
    app.jinja_env.filters["markdown"] = _prose_in_turn
    macros = Environment(loader=app.jinja_env.loader, auto_reload=app.debug, autoescape=True)
    _prepare(macros, "macros")
    app.extensions[_MACROS] = macros


def _prepare(environment: Environment, kind: str) -> None:
    environment.undefined = StrictUndefined
    environment.autoescape = True
    environment.finalize = _steady
    environment.add_extension(TemplateLayout)
    environment.add_extension(SharedMacros)
    environment.globals.update(asset=asset, page_assets=page_assets)
    environment.filters.update(
        markdown=_prose, relative=times.relative, absolute=times.absolute, clock=times.clock_time, iso=times.iso,
        age=times.age, initials=initials, version_of=version_of, since_read=since_read,
        figures=figures, timed=timed, inline=inline, letters=letters, hue=hue,
    )  # fmt: skip
    environment.bytecode_cache = CompiledTemplates(environment, kind)


def as_html(text: str) -> str:
    return str(escape(steady(text)))


def _steady(value: object) -> object:
    """Return what a page shows of a value: no name on it moves what stands around it."""
    return steady(value) if type(value) is str else value


def timed(text: str, moment: datetime | None) -> Markup:
    """Mark the moment that a text names up, so that the page writes it in the zone of its reader."""
    html = as_html(text)
    if moment is None:
        return Markup(html)
    clock = f'<time datetime="{times.iso(moment)}" data-format="clock">{times.clock_time(moment)}</time>'
    return Markup(html.replace(times.clock_time(moment), clock))


_FIGURE = re.compile(r"(?P<plus>\+[\d,]+)|(?P<minus>\N{MINUS SIGN}[\d,]+)|(?<= on )(?P<code>[0-9a-f]{7})\b")


def figures(text: str) -> Markup:
    """Mark what a fact counts: lines that were added and removed, and the commit that it is about."""
    parts, end = Markup(), 0
    for figure in _FIGURE.finditer(text):
        mark = "<code>{}</code>" if figure["code"] else f'<b class="{figure.lastgroup}">{{}}</b>'
        parts += Markup(as_html(text[end : figure.start()])) + Markup(mark).format(figure[0])
        end = figure.end()
    return parts + Markup(as_html(text[end:]))


def inline(text: str) -> Markup:
    """Show a line with what stands between backticks as code."""
    parts = re.split("`([^`\n]+)`", text)
    return Markup().join(
        Markup("<code>{}</code>" if at % 2 else "{}").format(Markup(as_html(part))) for at, part in enumerate(parts)
    )


def _prose(text: str | None, names: tuple[str, ...] = ()) -> Markup:
    """Markdown as safe HTML that htmx leaves alone."""
    if not text:
        return Markup("")
    return Markup('<div class="prose" hx-ignore>{}</div>').format(Markup(markdown.render(steady(text), names)))


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
    """Add to the address of a page's stream when the page was read, and by which process: `at` (events/broker.py)."""
    return f"{url}{'&' if '?' in url else '?'}at={moment_of(request_began_at())}"


def initials(name: str) -> str:
    """Up to two capitals for an avatar: `Mara Reyes` gives `MR`."""
    words = [word for word in name.split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def letters(name: str) -> str:
    """Return the two letters of an agent: those of two words, else the first ones."""
    return initials(name) if " " in name.strip() else name.strip()[:2].capitalize()


HUES = 12


def hue(name: str) -> int:
    """Return which of the hues an agent of this name has; a hue is never a state."""
    return crc32(name.encode()) % HUES


async def render_block(template: str, block: str, **context: object) -> str:
    """Render one named block of a page template, nothing around it; works inside a stream too."""
    page = current_app.jinja_env.get_template(template)
    # Jinja types blocks as synchronous; in Quart's environment they are asynchronous generators.
    parts = cast("AsyncIterator[str]", page.blocks[block](page.new_context(context)))
    return "".join([part async for part in parts])


def render_macro(template: str, macro: str, **arguments: object) -> str:
    """Render one macro without waiting for anything; fast enough for hundreds of cards."""
    macros: Environment = current_app.extensions[_MACROS]
    return str(getattr(macros.get_template(template).module, macro)(**arguments))


def partial(target: str, html: str, swap: str = "innerMorph") -> str:
    """Wrap a fragment for one region of an open page; `target` is a CSS selector written by us."""
    return f'<hx-partial hx-target="{target}" hx-swap="{swap}">{html}</hx-partial>'


_BREAK = re.compile(r"\s*\n\s*")


class Side(Enum):
    """What stands on one side of a line break."""

    OPENING = "opening"
    CLOSING = "closing"
    WORD = "word"


class TemplateLayout(Extension):
    """Drop the line breaks of a template where they mean nothing, while it is compiled."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Yield the tokens of one template with its texts laid out on one line."""
        tokens = _with_whole_texts(stream)
        markup = _Markup()
        for index, token in enumerate(tokens):
            if token.type == "data":
                text = markup.on_one_line(token.value, _side_before(tokens, index), _side_after(tokens, index))
                token = Token(token.lineno, "data", text)
            yield token


def _with_whole_texts(stream: TokenStream) -> list[Token]:
    """Join texts that only a comment separated."""
    tokens: list[Token] = []
    for token in stream:
        if token.type == "data" and tokens and tokens[-1].type == "data":
            tokens[-1] = Token(tokens[-1].lineno, "data", tokens[-1].value + token.value)
        else:
            tokens.append(token)
    return tokens


class _Markup:
    """Follow the markup through the texts of a template: is this place inside a tag?"""

    def __init__(self) -> None:
        self._in_tag = False
        self._closes = False
        self._quote = ""
        self._last = Side.OPENING

    def on_one_line(self, text: str, left: Side, right: Side) -> str:
        self._last = left
        parts = []
        position = 0
        for line_break in _BREAK.finditer(text):
            self._read(text[position : line_break.start()])
            parts += [text[position : line_break.start()], self._instead(text[line_break.end() :], right)]
            position = line_break.end()
        self._read(text[position:])
        return "".join([*parts, text[position:]])

    def _read(self, text: str) -> None:
        for index, character in enumerate(text):
            if self._quote:
                self._quote = "" if character == self._quote else self._quote
            elif self._in_tag and character in "\"'":
                self._quote = character
            elif self._in_tag and character == ">":
                self._in_tag = False
                self._last = Side.CLOSING if self._closes else Side.OPENING
                continue
            elif not self._in_tag and re.match(r"</?[a-zA-Z!]", text[index : index + 3]):
                self._in_tag = True
                self._closes = text[index + 1] == "/"
            self._last = Side.WORD

    def _instead(self, rest: str, right: Side) -> str:
        if self._in_tag:
            return "" if rest.startswith(">") else " "
        following = right if not rest else Side.WORD
        if rest.startswith("</"):
            following = Side.CLOSING
        elif rest.startswith("<"):
            following = Side.OPENING
        between_tags = self._last is Side.CLOSING and following is Side.OPENING
        return "" if self._last is Side.OPENING or following is Side.CLOSING or between_tags else " "


def _side_before(tokens: list[Token], index: int) -> Side:
    if index == 0 or tokens[index - 1].type == "block_end":
        return Side.OPENING
    begin = max(place for place in range(index) if tokens[place].type == "variable_begin")
    return Side.CLOSING if _is_call(tokens[begin + 1 : index - 1]) else Side.WORD


def _side_after(tokens: list[Token], index: int) -> Side:
    if index + 1 == len(tokens):
        return Side.CLOSING
    if tokens[index + 1].type == "block_begin":
        word = tokens[index + 2].value
        return Side.CLOSING if word.startswith("end") or word in ("else", "elif") else Side.OPENING
    end = next(place for place in range(index, len(tokens)) if tokens[place].type == "variable_end")
    return Side.OPENING if _is_call(tokens[index + 2 : end]) else Side.WORD


def _is_call(expression: list[Token]) -> bool:
    """Whether an expression is one call of a macro, `button("Save", kind="primary")`."""
    if len(expression) < 3 or expression[0].type != "name" or expression[1].type != "lparen":
        return False
    depth = 0
    for place, token in enumerate(expression[1:], start=1):
        depth += {"lparen": 1, "rparen": -1}.get(token.type, 0)
        if depth == 0:
            return place == len(expression) - 1
    return False
