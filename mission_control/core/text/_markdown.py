"""Reading Markdown, by markdown-it, and keeping what is safe, by nh3."""

import re
from functools import lru_cache
from typing import override
from urllib.parse import quote

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from mission_control.core.text.markdown import LONGEST, plain

# Everybody waits while a text is read. A long report takes 3,000 steps and 30 ms; a text made of nothing but signs
# could take two hundred times as many. A text that is longer, takes more steps or is nested deeper is shown as written.
MOST_STEPS = 8_000
DEEPEST = 20
TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("em", "strong", "del", "s", "a", "span", "table", "thead", "tbody", "tr", "th", "td"),
}
_WORDS = re.compile(
    r"(?P<address>https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}*_])"
    r"|(?<![\w@/.])@(?P<name>[A-Za-z][\w-]*(?:\.[\w-]+)*)"
)


@lru_cache(maxsize=1024)
def rendered(text: str, names: tuple[str, ...]) -> str:
    try:
        html = _markdown.render(text, {"steps": 0, "names": _by_first_word(names)})
    except _TooMuch:
        return plain(text)
    return nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        set_tag_attribute_values={"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},  # they scroll, keys reach them
        allowed_classes={"span": {"mention"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )


def _by_first_word(names: tuple[str, ...]) -> dict[str, list[str]]:
    """Group names by their first word, in lower case, the longest first."""
    groups: dict[str, list[str]] = {"lead": []} if names else {}
    for name in sorted(map(str.lower, filter(str.strip, names)), key=len, reverse=True):
        groups.setdefault(name.split()[0], []).append(name)
    return groups


class _TooMuch(Exception):
    """Reading on would take too long, or lose what is nested too deep."""


class _Markdown(MarkdownIt):
    """Addresses stay as they were written: spelling foreign hosts in ASCII takes the square of their length."""

    @override
    def normalizeLink(self, url: str) -> str:
        return quote(url, safe="%;/?:@&=+$,-_.!~*'()#[]")

    @override
    def normalizeLinkText(self, link: str) -> str:
        return link


def _count_lines(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Stand before all rules, wherever one asks what a line begins."""
    if state.level >= DEEPEST:
        raise _TooMuch
    _count(state, len(state.tokens))
    return False


def _count_signs(state: StateInline, silent: bool) -> bool:
    """Stand before all rules for the next sign within a line."""
    _count(state)
    return False


def _count(state: StateBlock | StateInline, made: int = 0) -> None:
    state.env["steps"] += 1
    if state.env["steps"] + made > MOST_STEPS:
        raise _TooMuch


def _mark_words(state: StateCore) -> None:
    """Turn bare addresses into links and @names into marked spans, outside links and code."""
    above: list[str] = []  # the headings that the present one stands under, so that the outline skips no level
    for block in state.tokens:
        if block.type == "heading_open":
            above = [*(tag for tag in above if tag < block.tag), block.tag]
        if block.type in ("heading_open", "heading_close"):
            block.tag = f"h{min(6, len(above) + 2)}"
        if block.type == "inline" and block.children:
            block.children = _marked(block.children, state.env["names"])


def _limit_addresses(state: StateCore) -> None:
    """Take the addresses off the last links once all of them are longer than a text may be.

    An address that is written once can be used by thousands of links.
    """
    left = LONGEST
    for token in (child for block in state.tokens for child in block.children or () if child.type == "link_open"):
        left -= sum(len(str(value)) for value in token.attrs.values())
        if left < 0:
            token.attrs.clear()


def _marked(tokens: list[Token], names: dict[str, list[str]]) -> list[Token]:
    out: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not depth:
            out += _split(token.content, names)
        else:
            out.append(token)
    return out


def _split(text: str, names: dict[str, list[str]]) -> list[Token]:
    out: list[Token] = []
    end = 0
    for match in _WORDS.finditer(text):
        if match.start() < end:
            continue  # a part of the name before
        if names and match["name"] and match["name"].lower() not in names:
            continue  # nobody is called so
        out.append(_text(text[end : match.start()]))
        end = match.end()
        if address := match["address"]:
            out += _wrapped("link", "a", ("href", address), address)
        else:
            end = _end_of_name(text, match, names)
            out += _wrapped("mention", "span", ("class", "mention"), text[match.start() : end])
    return [*out, _text(text[end:])]


def _end_of_name(text: str, match: re.Match[str], names: dict[str, list[str]]) -> int:
    """Return where a mention ends: after the longest known name that stands here, else after the word."""
    start = match.start("name")
    for name in names.get(match["name"].lower(), ()):
        end = start + len(name)
        if text[start:end].lower() == name and not text[end : end + 1].isalnum():
            return end
    return match.end()


def _wrapped(kind: str, tag: str, attribute: tuple[str, str], text: str) -> list[Token]:
    opening = Token(f"{kind}_open", tag, 1, attrs=dict([attribute]))
    return [opening, _text(text), Token(f"{kind}_close", tag, -1)]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


# The parser would drop what is nested deeper than `maxNesting` and say nothing, so it must not come that far.
_markdown = _Markdown("commonmark", {"html": False, "breaks": True, "maxNesting": DEEPEST + 2})
_markdown.enable(["table", "strikethrough"]).disable("image")
_markdown.block.ruler.before("table", "steps", _count_lines, {"alt": ["paragraph", "reference", "blockquote", "list"]})
_markdown.inline.ruler.before("text", "steps", _count_signs)
_markdown.core.ruler.push("addresses", _limit_addresses)
_markdown.core.ruler.push("words", _mark_words)
