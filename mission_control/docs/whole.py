"""The operations that agents may call as one text for models: /llms-full.txt."""

from collections.abc import Iterable
from typing import Any

from mission_control.docs.reference import Entry, Field, Shape, entries_for, shapes_of


def whole(document: dict[str, Any], introduction: str) -> str:
    """Return the introduction, every operation that takes an agent's token, and the shapes of their JSON."""
    found = list(entries_for(document, lambda one: any("AgentToken" in scheme for scheme in one["security"])))
    operations = [operation for operation, _ in found]
    parts = [introduction, "## Operations", *(_operation(entry) for _, entry in found)]
    parts += ["## Shapes", *(_shape(one) for one in shapes_of(document, operations))]
    return "\n\n".join(parts) + "\n"


def _operation(one: Entry) -> str:
    lines = [f"### {one.method} {one.path}", "", one.summary + "."]
    lines += ["", one.description]
    lines += [f"- {title}: {text}" for title, text in one.advice]
    lines += _fields("Parameters", one.parameters)
    if one.body is not None:
        lines.append(f"- Body: {one.body.name}")
    lines.append(f"- Answer {one.status}: {_kind(one.answer) or one.said}")
    lines.append(f"- Errors: {', '.join(one.errors)}")
    return "\n".join(lines)


def _shape(one: Shape) -> str:
    return "\n".join([f"### {one.name}", "", one.description, *_fields("Fields", one.fields)])


def _fields(title: str, fields: Iterable[Field]) -> list[str]:
    lines = [
        f"  - `{one.name}` ({_kind(one.kind)}{', required' if one.required else ''})"
        f"{': ' + one.description if one.description else ''}"
        for one in fields
    ]
    return [f"- {title}:", *lines] if lines else []


def _kind(words: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in words)
