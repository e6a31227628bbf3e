"""The priorities of tasks, and other words for them that people and programs send."""

from typing import Annotated

from pydantic import AfterValidator, Field

PRIORITIES = ("low", "medium", "high", "critical")
SYNONYMS = {"urgent": "critical", "highest": "critical", "normal": "medium"}


def canonical(text: str) -> str:
    word = text.strip().lower()
    return SYNONYMS.get(word, word if word in PRIORITIES else text)


def spellings(text: str) -> list[str]:
    """Rows keep what was sent before, in small letters."""
    meant = canonical(text)
    return [meant.lower(), *(word for word, priority in SYNONYMS.items() if priority == meant)]


def rank(text: str) -> int:
    meant = canonical(text)
    return PRIORITIES.index(meant) + 1 if meant in PRIORITIES else 0


def rank_sql(column: str) -> str:
    cases = " ".join(f"WHEN '{word}' THEN {rank(word)}" for word in (*PRIORITIES, *SYNONYMS))
    return f"CASE LOWER({column}) {cases} ELSE 0 END"


Priority = Annotated[
    str,
    Field(max_length=64, description="low, medium, high or critical; any other text is kept as it is"),
    AfterValidator(canonical),
]
