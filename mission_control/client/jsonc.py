"""Change one place of a JSON file, which may have comments and trailing commas; all the rest keeps its bytes."""

from __future__ import annotations

import json
import re

from mission_control.client.problems import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

BLANK = re.compile(r"(?:[ \t\r\n\ufeff]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
WORD = re.compile(r"[-+.\w]+")


class Node:
    """A value and where it stands; `parts` are what an object or an array holds, each with where its name begins."""

    def __init__(self, start: int) -> None:
        self.start, self.end, self.value = start, start, None  # type: int, int, Any
        self.parts: list[tuple[Any, int, Node]] = []
        self.has_last_comma = False

    def part(self, key: Any) -> Node | None:
        return next((node for name, _, node in self.parts if name == key), None)


class Document:
    """The text of a file. Each change reads it anew."""

    def __init__(self, content: bytes, name: str) -> None:
        self.text, self.name = content.decode("utf-8", "surrogateescape"), name
        self.newline = "\r\n" if "\r\n" in self.text else "\n"
        self._content: bytes | None = content
        self.root = self._read()

    @property
    def content(self) -> bytes:
        """The bytes of the file: as they were, while nothing was changed."""
        return self.text.encode("utf-8", "surrogateescape") if self._content is None else self._content

    @property
    def value(self) -> Any:
        return self.root.value

    def get(self, *path: Any) -> Any:
        node = self._at(path)
        return None if node is None else node.value

    def put(self, path: tuple[Any, ...], value: Any) -> None:
        """Set a member of an object, whose objects are made where there are none."""
        node = self._at(path)
        if node is not None:
            self._replace(node.start, node.end, self._written(value, len(path)))
        elif path[:-1] and self._at(path[:-1]) is None:
            self.put(path[:-1], {path[-1]: value})
        else:
            self._add(path[:-1], dict, f"{json.dumps(path[-1])}: {self._written(value, len(path))}")

    def append(self, path: tuple[Any, ...], value: Any) -> None:
        """Add to the end of an array, on a line, which is made where there is none."""
        if self._at(path) is None:
            self.put(path, [])
        self._add(path, list, json.dumps(value, ensure_ascii=False))

    def remove(self, path: tuple[Any, ...]) -> None:
        """Take a member or an element away, with one comma."""
        holder = self._at(path[:-1])
        assert holder is not None
        index = next(at for at, (name, _, _) in enumerate(holder.parts) if name == path[-1])
        _, start, node = holder.parts[index]
        if index > 0:
            self._replace(holder.parts[index - 1][2].end, node.end, "")
        elif len(holder.parts) > 1:
            self._replace(start, holder.parts[1][1], "")
        else:
            self._replace(holder.start + 1, holder.end - 1, "")

    def _at(self, path: tuple[Any, ...]) -> Node | None:
        node: Node | None = self.root
        for key in path:
            node = node.part(key) if node is not None else None
        return node

    def _add(self, path: tuple[Any, ...], kind: type, text: str) -> None:
        node = self._at(path)
        if node is None or not isinstance(node.value, kind):
            where = ".".join(map(str, path)) or "It"
            raise Problem(f"{self.name}: {where} is not what it should be. Mend the file first.", "bad_settings")
        inner, outer = self._indent(len(path) + 1), self._indent(len(path))
        if not node.parts:
            self._replace(node.start + 1, node.end - 1, f"{self.newline}{inner}{text}{self.newline}{outer}")
            return
        end = node.parts[-1][2].end
        if node.has_last_comma:
            end = self._skip(end) + 1
            self._replace(end, end, f"{self.newline}{inner}{text},")
        else:
            self._replace(end, end, f",{self.newline}{inner}{text}")

    def _indent(self, depth: int) -> str:
        first = re.search(r"\n([ \t]+)\"", self.text)
        return (first[1] if first else "  ") * depth

    def _written(self, value: Any, depth: int) -> str:
        text = json.dumps(value, indent=self._indent(1), ensure_ascii=False)
        return text.replace("\n", self.newline + self._indent(depth))

    def _replace(self, start: int, end: int, text: str) -> None:
        self.text, self._content = self.text[:start] + text + self.text[end:], None
        self.root = self._read()

    def _read(self) -> Node:
        if not self.text[self._skip(0) :]:
            self.text += "{}" + self.newline
        node = self._node(self._skip(0))
        if self._skip(node.end) != len(self.text):
            raise self._wrong(node.end)
        return node

    def _skip(self, at: int) -> int:
        found = BLANK.match(self.text, at)
        return found.end() if found else at

    def _node(self, at: int) -> Node:
        node, letter = Node(at), self.text[at : at + 1]
        if letter in ("{", "["):
            self._holder(node, "}" if letter == "{" else "]")
            return node
        found = (TEXT if letter == '"' else WORD).match(self.text, at)
        if found is None:
            raise self._wrong(at)
        try:
            node.value, node.end = json.loads(found[0], strict=False), found.end()
        except ValueError:
            raise self._wrong(at) from None
        return node

    def _holder(self, node: Node, closing: str) -> None:
        at, is_object = self._skip(node.start + 1), closing == "}"
        while self.text[at : at + 1] != closing:
            start, key = at, len(node.parts)  # type: int, Any
            if is_object:
                name = self._node(at)
                key, at = name.value, self._skip(name.end)
                if not isinstance(key, str) or self.text[at : at + 1] != ":":
                    raise self._wrong(at)
                at = self._skip(at + 1)
            part = self._node(at)
            node.parts.append((key, start, part))
            at = self._skip(part.end)
            node.has_last_comma = self.text[at : at + 1] == ","
            if node.has_last_comma:
                at = self._skip(at + 1)
            elif self.text[at : at + 1] != closing:
                raise self._wrong(at)
        node.end = at + 1
        values = [part.value for _, _, part in node.parts]
        node.value = dict(zip([name for name, _, _ in node.parts], values)) if is_object else values

    def _wrong(self, at: int) -> Problem:
        line = self.text.count("\n", 0, at) + 1
        return Problem(
            f"{self.name}: line {line} is not JSON. Mend the file first; nothing was changed.", "bad_settings"
        )


def without_hooks(document: Document, is_ours: Callable[[dict[str, Any]], bool]) -> None:
    hooks = document.get("hooks")
    for event, groups in (hooks if isinstance(hooks, dict) else {}).items():
        ours = [at for at, group in enumerate(groups if isinstance(groups, list) else ()) if _has_only(group, is_ours)]
        for at in reversed(ours):
            document.remove(("hooks", event, at))
        if ours and not document.get("hooks", event):
            document.remove(("hooks", event))
    if isinstance(hooks, dict) and hooks and not document.get("hooks"):
        document.remove(("hooks",))


def hooks_in(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each hook with its event."""
    hooks = document.get("hooks")
    for event, groups in (hooks if isinstance(hooks, dict) else {}).items():
        for group in groups if isinstance(groups, list) else ():
            inner = group.get("hooks") if isinstance(group, dict) else None
            yield from ((event, hook) for hook in inner or () if isinstance(hook, dict))


def _has_only(group: object, is_ours: Callable[[dict[str, Any]], bool]) -> bool:
    inner = group.get("hooks") if isinstance(group, dict) else None
    return isinstance(inner, list) and bool(inner) and all(isinstance(one, dict) and is_ours(one) for one in inner)
