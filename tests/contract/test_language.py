"""Names, docstrings and comments use the field's words, not private ones (CONTRIBUTING.md, Habits)."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

import mission_control

ROOT = Path(mission_control.__file__).parent
# A private word, and what to write instead.
NAMES = {
    "absent": "staged, missing", "bell": "channel", "beside": "relations", "breath": "debounce",
    "glance": "the name of the check", "heard": "notified", "homeless": "a callback of the feature",
    "manners": "middleware", "meanwhile": "the name of the conflict", "ring": "notify, wake", "room": "free, usage",
    "rung": "notified", "stranger": "the right that is missing", "told": "notified", "wired": "serialized",
}  # fmt: skip
PROSE = {
    "any more": "no longer", "by now": "nothing, or the moment", "for ever": "forever, in an endless loop",
    "hand-out": "assignment", "handed out": "assigned, delivered", "meanwhile": "nothing, or the time",
    "what is so": "the current value", "whoever": "the actor",
}  # fmt: skip
STORED = {"absent_since"}  # a column of the database


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def prose(source: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def words(name: str) -> set[str]:
    return {part.lower().removesuffix("s") for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def private_words(source: str) -> list[str]:
    tree = ast.parse(source)
    in_names = [
        f"{name}: write {NAMES[word]}"
        for name in names(tree)
        if name not in STORED
        for word in words(name) & set(NAMES)
    ]
    pattern = re.compile(rf"\b({'|'.join(PROSE)})\b", re.IGNORECASE)
    texts = (" ".join(text.split()) for text in prose(source, tree))
    return in_names + [
        f"{found[0]}: write {PROSE[found[0].lower()]}" for text in texts for found in pattern.finditer(text)
    ]


def test_modules_use_no_private_words() -> None:
    found = {str(path.relative_to(ROOT)): private_words(path.read_text()) for path in ROOT.rglob("*.py")}
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "source",
    [
        "def tell_rooms(): ...", "class HeardBells: ...", "def f(is_told): ...", "ring_at = 1",
        '"""Refuse whoever asks."""', "x = 1  # handed out again",
    ],
    ids=["function", "class", "argument", "variable", "docstring", "comment"],
)  # fmt: skip
def test_private_words_are_found(source: str) -> None:
    assert private_words(source)
