"""What text becomes what terms: the one place, for texts that are stored and for what is sought in them.

A term is a word without case and marks. Scripts that write no blanks between words become pairs of characters. What
else a word may be found by, its keys, are its parts, its stems, and what is left when one letter is missing.
"""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import Stemmer

if TYPE_CHECKING:
    import regex

LONGEST_WORD, LONGEST_TERM = 40, 200  # characters: longer words have no keys, longer terms are cut
SHORTEST_PART, SHORTEST_TYPO = 3, 4
MOST_JOINED = 4  # parts of a word with hyphens

# Letters that are no others with marks, and signs inside of words that are not seen.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "\u0131": "i"}
    | dict.fromkeys("\u0640\u00ad\u200b\u200c\u200d\ufeff")
)
# Marks on letters of Latin, Greek and Cyrillic (but that of й, a letter), and vowels of Arabic and Hebrew.
_MARKS = re.compile(
    "(?<!\u0438)\u0306|[\u0300-\u0305\u0307-\u036f\u064b-\u065f\u0670\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]"
)
_WITHOUT_BLANKS = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_ASCII_CHUNK = re.compile(r"(?P<number>[0-9]+)|(?P<word>[a-z]+)")
JOINERS = frozenset("-_'.\u2010\u2011\u2019")

type Chunk = tuple[str, str]  # its kind, and its characters
type Run = list[Chunk]  # chunks without anything between them, such as `v2`


class Compound(NamedTuple):
    """Runs with a sign between them, such as `re-run`, and whether dots are among the signs."""

    runs: list[Run]
    has_dots: bool


def folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", plain)))


@functools.cache
def _chunk() -> "regex.Pattern[str]":
    import regex

    word = rf"[[\p{{L}}\p{{M}}]--[{_WITHOUT_BLANKS}]]+"
    return regex.compile(rf"(?P<pairs>[{_WITHOUT_BLANKS}]+)|(?P<number>\p{{N}}+)|(?P<word>{word})", regex.V1)


def compounds(text: str) -> Iterator[Compound]:
    """Yield what stands together in a text."""
    plain = folded(text)
    compound = Compound([], False)
    end = -2  # nothing stands before the first chunk
    for chunk in (_ASCII_CHUNK if plain.isascii() else _chunk()).finditer(plain):
        start, kind = chunk.start(), str(chunk.lastgroup)
        piece = (kind, chunk[0] if kind == "pairs" else chunk[0][:LONGEST_TERM])
        if start == end:
            compound.runs[-1].append(piece)
        elif start == end + 1 and plain[end] in JOINERS:
            compound.runs.append([piece])
            if plain[end] == ".":
                compound = compound._replace(has_dots=True)
        else:
            if compound.runs:
                yield compound
            compound = Compound([[piece]], False)
        end = chunk.end()
    if compound.runs:
        yield compound


def pairs(characters: str) -> list[str]:
    return [*map("".join, pairwise(characters)), characters[-1]]


def whole(run: Run) -> str:
    """Return the characters of a run as one term; empty for one without blanks."""
    return "" if any(kind == "pairs" for kind, _ in run) else "".join(text for _, text in run)[:LONGEST_TERM]


def joined(compound: Compound) -> str:
    """Return a word with hyphens as one term; empty for what is no such word, such as a version."""
    runs, has_dots = compound
    if not 1 < len(runs) <= MOST_JOINED or not all(map(whole, runs)):
        return ""
    kinds = {kind for run in runs for kind, _ in run}
    term = "".join(map(whole, runs))
    return term if "word" in kinds and len(term) <= LONGEST_WORD and not (has_dots and "number" in kinds) else ""


def terms_of(text: str) -> tuple[list[str], set[str]]:
    """Return the terms of a text in their order, and the words among them that have keys."""
    terms: list[str] = []
    words: set[str] = set()
    for compound in compounds(text):
        for run in compound.runs:
            for kind, characters in run:
                terms += pairs(characters) if kind == "pairs" else [characters]
                if kind == "word":
                    words.add(characters)
            if len(run) > 1 and (term := whole(run)):
                terms.append(term)
        if term := joined(compound):
            terms.append(term)
            if term.isalpha():
                words.add(term)
    return terms, set(filter(has_keys, words))


def has_keys(word: str) -> bool:
    return SHORTEST_PART <= len(word) <= LONGEST_WORD


# Keys of words begin with a digit, which no word has; parts have none.
def keys_of(word: str) -> set[str]:
    return {*parts(word), f"0{word}", *(f"1{form}" for form in stems(word)), *(f"2{form}" for form in _shortened(word))}


def parts(word: str) -> list[str]:
    return [word[at : at + SHORTEST_PART] for at in range(len(word) - SHORTEST_PART + 1)]


def keys_of_typos(word: str) -> set[str]:
    if len(word) < SHORTEST_TYPO:
        return set()
    shortened = _shortened(word)
    return {f"2{word}", *(f"{sign}{form}" for form in shortened for sign in "02")}


def _shortened(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))} if len(word) >= SHORTEST_TYPO - 1 else set()


LANGUAGES = {
    "LATIN": ("english", "german", "french", "spanish", "italian", "portuguese", "dutch"),
    "CYRILLIC": ("russian",),
    "GREEK": ("greek",),
    "ARABIC": ("arabic",),
    "DEVANAGARI": ("hindi",),
}
SHORTEST_STEM = {"english": 3}  # elsewhere 4, for the rules of one language cut short words of the others


def stems(word: str) -> set[str]:
    """Return a word without its endings, as several languages have them: which one it is in, nobody says."""
    script = unicodedata.name(word[0], "").partition(" ")[0]
    by_language = {name: _stemmer(name).stemWord(word) for name in LANGUAGES.get(script, ())}
    return {stem for name, stem in by_language.items() if len(stem) >= SHORTEST_STEM.get(name, 4)}


_stemmer = functools.cache(Stemmer.Stemmer)


def is_typo(word: str, other: str) -> bool:
    """Return whether one letter is missing, too many, another one, or two changed places."""
    if abs(len(word) - len(other)) > 1 or word == other:
        return False
    at = next((at for at, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    rest, others = word[at:], other[at:]
    return (
        rest[1:] == others
        or rest == others[1:]
        or rest[1:] == others[1:]
        or (rest[:2] == others[:2][::-1] and rest[2:] == others[2:])
    )


def unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
