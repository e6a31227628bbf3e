"""Fit texts of people and agents into files of a limited size."""

from collections.abc import Mapping
from dataclasses import dataclass

LINE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Passage:
    """A text of any length, its heading, and where to read the whole when a file has no place for it."""

    title: str
    text: str
    whole: str


def size(text: str) -> int:
    """Return the length of a text as a gateway counts it: in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def one_line(text: str) -> str:
    """Return a text as one line of at most 200 characters."""
    line = " ".join(text.split())
    return line if size(line) <= LINE_LENGTH else f"{_beginning(line, LINE_LENGTH - 3)}..."


def fitted(passages: Mapping[str, Passage], free: int) -> dict[str, str]:
    """Return the texts, together no longer than `free`; the longest are cut first, and say where the whole is."""
    texts: dict[str, str] = {}
    by_size = sorted(passages, key=lambda name: size(passages[name].text))
    for position, name in enumerate(by_size):
        texts[name] = cut(passages[name], max(free, 0) // (len(by_size) - position))
        free -= size(texts[name])
    return texts


def cut(passage: Passage, limit: int) -> str:
    """Return the text, cut to at most `limit` with a last line that says where the whole is."""
    if size(passage.text) <= limit:
        return passage.text
    notice = f"\n\n(Cut here. The whole: {passage.whole})"
    return f"{_beginning(passage.text, max(limit - size(notice), 0)).rstrip()}{notice}"


def _beginning(text: str, limit: int) -> str:
    """Return as much of a text as fits."""
    start = text[:limit]
    while size(start) > limit:
        start = start[: limit - size(start)]
    return start
