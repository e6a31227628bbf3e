"""Which people a text mentions."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID


def mentioned_people(text: str, people: Iterable[Mapping[str, Any]]) -> list[UUID]:
    """Return the ids of the people that a text mentions, by their whole name or its first word, whatever the case.

    `@Ada Lovelace` is Ada Lovelace and not also another Ada.
    """
    if "@" not in text:
        return []
    by_name: dict[str, list[UUID]] = {}
    for one in people:
        name = str(one["name"] or "").strip().lower()
        for alias in {name, name.split()[0]} if name else ():
            by_name.setdefault(alias, []).append(UUID(str(one["id"])))
    if not by_name:
        return []
    longest_first = sorted(by_name, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w@])@({'|'.join(map(re.escape, longest_first))})(?![\w@])", re.IGNORECASE)
    found = [user_id for match in pattern.finditer(text) for user_id in by_name.get(match[1].lower(), ())]
    return list(dict.fromkeys(found))
