"""The macros of `templates/ui`, which every template knows without importing them.

A template that calls one gets the import while it is compiled: in the block that calls it, because a block is also
rendered alone, else at its top. What a template defines, imports or sets itself under such a name is its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import takewhile

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from mission_control.core.paths import data_dir

FOLDER = data_dir("templates")
SHARED = {
    name: file.relative_to(FOLDER).as_posix()
    for file in sorted(FOLDER.glob("ui/*.html"))
    for name in re.findall(r"^\{%-? macro ([a-z]\w*)", file.read_text(), re.M)
}
TOP = -1
ENDS = ("block_end", "assign", "lparen")


class SharedMacros(Extension):
    """Import what a template calls of `templates/ui`."""

    priority = 50  # before line breaks are laid out

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        tokens = list(stream)
        places = _calls(tokens)
        yield from _imports(places[TOP], 1)
        for index, token in enumerate(tokens):
            yield token
            yield from _imports(places[index], token.lineno)


def _calls(tokens: list[Token]) -> dict[int, set[str]]:
    """The shared macros to import, by the index of the token behind which their import stands, or TOP."""
    places, blocks = defaultdict[int, set[str]](set), [TOP]
    shared, kinds = SHARED.keys() - _own(tokens), ["", *(token.type for token in tokens), ""]
    for index, token in enumerate(tokens):
        before, after = kinds[index], kinds[index + 2]
        if (before, token.value) == ("block_begin", "block"):
            blocks.append(kinds.index("block_end", index) - 1)
        elif (before, token.value) == ("block_begin", "endblock"):
            blocks.pop()
        elif token.value in shared and after == "lparen" and before not in ("dot", "pipe"):
            places[blocks[-1]].add(token.value)
    return places


def _own(tokens: list[Token]) -> set[str]:
    """The names that a template imports, defines or sets itself."""
    names: set[str] = set()
    for index, token in enumerate(tokens[1:], start=1):
        if tokens[index - 1].type == "block_begin" and token.value in ("from", "macro", "set", "for"):
            statement = takewhile(lambda other: other.type not in ENDS and other.value != "in", tokens[index + 1 :])
            names |= {str(other.value) for other in statement if other.type == "name"}
    return names


def _imports(names: set[str], lineno: int) -> Iterator[Token]:
    files = defaultdict[str, list[str]](list)
    for name in sorted(names):
        files[SHARED[name]].append(name)
    for file, macros in sorted(files.items()):
        yield Token(lineno, "block_begin", "{%")
        yield from (Token(lineno, "name", "from"), Token(lineno, "string", file), Token(lineno, "name", "import"))
        for at, macro in enumerate(macros):
            yield from [Token(lineno, "comma", ",")] if at else []
            yield Token(lineno, "name", macro)
        yield Token(lineno, "block_end", "%}")
