"""Lines of the palette, and how well each fits what somebody types."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hit:
    """A line of the palette."""

    label: str
    url: str
    icon: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The lines under one title; `rank` is that of the best one, 0 fits best."""

    title: str
    hits: Sequence[Hit]
    rank: int = 0


# Nothing fits: neither the label nor other words.
NEVER = 9


def rank_of(label: str, more: str, words: Sequence[str]) -> int:
    """Return how well a line fits: it begins with the words, its words do, it contains them, or other words do."""
    name = label.lower()
    if not words or name.startswith(" ".join(words)):
        return 0
    if all(any(part.startswith(word) for part in name.split()) for word in words):
        return 1
    if all(word in name for word in words):
        return 2
    return 3 if all(word in f"{name} {more.lower()}" for word in words) else NEVER


def group_of(title: str, lines: Sequence[tuple[Hit, str]], words: Sequence[str], most: int) -> Group:
    """Return the lines that fit, the best first and else in their order; each comes with other words that find it."""
    ranked = [(rank_of(hit.label, more, words), hit) for hit, more in lines]
    fitting = sorted(((rank, hit) for rank, hit in ranked if rank < NEVER), key=lambda one: one[0])
    return Group(title, [hit for _, hit in fitting[:most]], fitting[0][0] if fitting else NEVER)
