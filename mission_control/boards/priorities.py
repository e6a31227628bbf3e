"""The priorities of tasks: four that the program knows, their other spellings, and any other text as it was sent."""

from typing import Annotated

from pydantic import AfterValidator, Field

PRIORITIES = ("low", "medium", "high", "critical")
SYNONYMS = {"urgent": "critical", "highest": "critical", "normal": "medium"}


def canonical(text: str) -> str:
    """Return the priority that a text means; a text that means none comes back as it is."""
    word = text.strip().lower()
    return SYNONYMS.get(word, word if word in PRIORITIES else text)


def spellings(text: str) -> list[str]:
    """Return every text, in small letters, that may be stored for a priority: rows keep what was sent before."""
    meant = canonical(text)
    return [meant.lower(), *(word for word, one in SYNONYMS.items() if one == meant)]


def rank(text: str) -> int:
    """Return 4 for critical down to 1 for low, 0 for any other text."""
    meant = canonical(text)
    return PRIORITIES.index(meant) + 1 if meant in PRIORITIES else 0


def rank_sql(column: str) -> str:
    """Return SQL for the rank of a priority."""
    cases = " ".join(f"WHEN '{word}' THEN {rank(word)}" for word in (*PRIORITIES, *SYNONYMS))
    return f"CASE LOWER({column}) {cases} ELSE 0 END"


Priority = Annotated[
    str,
    Field(max_length=64, description="low, medium, high or critical; any other text is kept as it is"),
    AfterValidator(canonical),
]
