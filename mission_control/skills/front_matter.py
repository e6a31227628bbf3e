"""A skill's name and description: from the front matter of its SKILL.md, else from its first words."""

import re

FIELD = re.compile(r"(name|description):(.*)")
BLOCK = re.compile(r"[>|][+-]?[0-9]?")


def described(text: str) -> tuple[str | None, str | None]:
    """Return name and description: from the front matter, else the first heading and the first plain line."""
    lines = text.splitlines()
    fields: dict[str, str] = {}
    if lines and lines[0].strip() == "---":
        end = next((number for number, line in enumerate(lines[1:], start=1) if line.strip() == "---"), None)
        if end is not None:
            fields, lines = _fields(lines[1:end]), lines[end + 1 :]
    name = fields.get("name") or next((line[2:].strip() for line in lines if line.startswith("# ")), None)
    return name or None, fields.get("description") or _first_plain_line(lines)


def _fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for number, line in enumerate(lines):
        if not (found := FIELD.fullmatch(line)):
            continue
        value = found[2].strip()
        if not value or BLOCK.fullmatch(value):
            value = _indented(lines[number + 1 :])
        fields[found[1]] = _unquoted(value)
    return fields


def _indented(lines: list[str]) -> str:
    block: list[str] = []
    for line in lines:
        if line.strip() and not line[0].isspace():
            break
        block.append(line.strip())
    return " ".join(part for part in block if part)


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1].strip()
    return value


def _first_plain_line(lines: list[str]) -> str | None:
    in_code = False
    for line in (one.strip() for one in lines):
        if line.startswith("```"):
            in_code = not in_code
        elif line and not in_code and line[0] not in "#>|<!" and line != "---":
            return line
    return None
