"""Line breaks in templates are for readers: what a page sends does not depend on how its template is indented.

A line break with the indentation around it sends nothing between two tags, after an opening tag and before a closing
one. Everywhere else (inside a tag, between words, between a word and a tag) it sends one space. A call of a macro
counts as a tag, `{{ name }}` as a word, `{% if %}` as an opening and `{% endif %}` as a closing tag.
"""

import re
from collections.abc import Iterator
from enum import Enum

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

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
                left = _side_before(tokens, index)
                right = _side_after(tokens, index)
                yield Token(token.lineno, "data", markup.on_one_line(token.value, left, right))
            else:
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
        """Return `text` without the line breaks that mean nothing."""
        self._last = left
        parts = []
        position = 0
        for found in _BREAK.finditer(text):
            self._read(text[position : found.start()])
            parts += [text[position : found.start()], self._instead(text[found.end() :], right)]
            position = found.end()
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
