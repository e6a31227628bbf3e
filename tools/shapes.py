"""Runs of lines of one shape, which the ratchet counts: names, texts and numbers left out."""

import io
import keyword
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

RUN = 6  # lines
COMMON = 8  # a run that stands in more places counts by its places, not by pairs of files


def shapes_of(source: str) -> Iterator[str]:
    """Yield lines with names, texts and numbers left out; imports, comments and lone brackets are skipped."""
    lines: dict[int, list[str]] = defaultdict(list)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            lines[token.start[0]].append(token.string if keyword.iskeyword(token.string) else "N")
        elif token.type in (tokenize.STRING, tokenize.FSTRING_START, tokenize.NUMBER):
            lines[token.start[0]].append("S")
        elif token.type == tokenize.OP:
            lines[token.start[0]].append(token.string)
    for tokens in lines.values():
        if tokens[0] not in ("from", "import") and "N" in tokens:
            yield " ".join(tokens)


def repeated(modules: Mapping[str, list[str]], rooms: Mapping[str, str]) -> tuple[Counter[str], Counter[str]]:
    """Return by room the pairs of files that share a run of lines of one shape, and the places of common runs."""
    runs: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for module, shapes in modules.items():
        for start in range(len(shapes) - RUN + 1):
            runs[tuple(shapes[start : start + RUN])].append(module)
    pairs: dict[tuple[str, str], str] = {}
    common: Counter[str] = Counter()
    for places in runs.values():
        if len(places) > COMMON:
            common.update(rooms[module] for module in places)
        for index, module in enumerate(places if 2 <= len(places) <= COMMON else []):
            pairs |= {(module, other): rooms[module] for other in places[index + 1 :] if other != module}
    return Counter(pairs.values()), common
