"""Counts of the program by room that may only fall: `python -m tools.ratchet` compares, `--write` stores lower ones.

`ratchet.json` beside this file has the counts. One that rose is a fault of the change that raised it, and is not
stored. `--moved` is for modules that went to another room: counts of rooms may rise then, sums may not.
"""

import ast
import io
import json
import keyword
import re
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from radon.complexity import cc_visit

ROOT = Path(__file__).resolve().parent.parent
FILE = Path(__file__).with_name("ratchet.json")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTIONS)
# Words that name nothing, as variables.
VAGUE = {"one", "found", "kept", "held", "said", "given", "wanted", "shown", "asked", "told", "those", "known"}
LOOSE = re.compile(r"\b(?:dict|Mapping)\[str, (?:Any|object)\]")
COMPLEX = 10  # McCabe's number; radon calls what is above it grade C
LONG_FUNCTION, LONG_FILE, RUN = 30, 250, 6
COMMON = 8  # a run of lines that stands in more places is the shape of a declaration

type Counts = dict[str, dict[str, int]]


def counts_of(folder: Path = ROOT / "mission_control") -> Counts:
    """Return measure -> room -> count; modules beside the rooms count as the room `.`."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    shapes: dict[tuple[str, ...], list[tuple[str, Path, int]]] = defaultdict(list)
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder).parts
        room = inside[0] if len(inside) > 1 else "."
        source = path.read_text(encoding="utf-8")
        for measure, count in _measures(source):
            counts[measure][room] += count
        lines = list(_shapes(source))
        for start in range(len(lines) - RUN + 1):
            shapes[tuple(shape for _, shape in lines[start : start + RUN])].append((room, path, lines[start][0]))
    for room, pairs in _pairs(shapes).items():
        counts["same-shape pairs of files"][room] = pairs
    return {measure: dict(sorted(rooms.items())) for measure, rooms in sorted(counts.items())}


def _measures(source: str) -> Iterator[tuple[str, int]]:
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    yield "files over 250 lines", source.count("\n") > LONG_FILE
    yield "Any", sum(isinstance(node, ast.Name) and node.id == "Any" for node in nodes)
    yield "loose mappings", len(LOOSE.findall(source))
    yield "functions of grade C and worse", sum(b.complexity > COMPLEX for b in cc_visit(source) if b.letter in "FM")
    for node in nodes:
        if isinstance(node, FUNCTIONS):
            yield "functions over 30 lines", (node.end_lineno or 0) - node.lineno + 1 > LONG_FUNCTION
        if isinstance(node, DOCUMENTED) and (ast.get_docstring(node) or "").startswith("Return "):
            yield "docstrings that begin with Return", 1
        name = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else ""
        stored = not isinstance(node, ast.Name) or isinstance(node.ctx, ast.Store)
        yield "vague names", name in VAGUE and stored


def _shapes(source: str) -> Iterator[tuple[int, str]]:
    """Yield lines by number with names, texts and numbers left out; imports, comments and lone brackets are skipped."""
    lines: dict[int, list[str]] = defaultdict(list)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            lines[token.start[0]].append(token.string if keyword.iskeyword(token.string) else "N")
        elif token.type in (tokenize.STRING, tokenize.FSTRING_START, tokenize.NUMBER):
            lines[token.start[0]].append("S")
        elif token.type == tokenize.OP:
            lines[token.start[0]].append(token.string)
    for number, tokens in lines.items():
        if tokens[0] not in ("from", "import") and any(token == "N" for token in tokens):
            yield number, " ".join(tokens)


def _pairs(shapes: dict[tuple[str, ...], list[tuple[str, Path, int]]]) -> Counter[str]:
    """Return for each room how many pairs of files, one of them there, share a run of lines of one shape."""
    pairs: dict[tuple[Path, Path], str] = {}
    for places in shapes.values():
        if 2 <= len(places) <= COMMON:
            for index, (room, path, _) in enumerate(places):
                pairs |= {(path, other): room for _, other, _ in places[index + 1 :] if other != path}
    return Counter(pairs.values())


def rises(before: Counts, now: Counts, *, moved: bool = False) -> list[str]:
    """Return a line for each count that is higher than before, by room, or in sum if modules `moved`."""
    lines = []
    for measure, rooms in now.items():
        stored = before.get(measure, {})
        if sum(rooms.values()) > sum(stored.values()):
            lines.append(f"{measure}: {sum(rooms.values())} in all, {sum(stored.values())} before")
        if not moved:
            lines += [
                f"{measure} in {room}: {count}, {stored.get(room, 0)} before"
                for room, count in rooms.items()
                if count > stored.get(room, 0)
            ]
    return lines


def main(arguments: list[str]) -> int:
    now = counts_of()
    before: Counts = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else now
    rose = rises(before, now, moved="--moved" in arguments)
    for measure, rooms in now.items():
        print(f"{sum(rooms.values()):6}  {measure}")
    print(*rose, sep="\n")
    if "--write" in arguments and not rose:
        FILE.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return bool(rose)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
