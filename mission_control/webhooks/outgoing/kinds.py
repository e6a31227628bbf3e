"""Which events an outgoing webhook sends: names of events, families of them, or all."""

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, Field

from mission_control.events.event_log import KINDS

TEST = "webhook.test"  # what the Test button sends
# What is sent without being in the log, and when.
NOT_IN_THE_LOG = {
    "need.opened": "Something began to wait for a person.",
    "need.ended": "It was answered, or no longer waits.",
}
MOST, LONGEST = 100, 96


def known() -> list[str]:
    return sorted({*KINDS, *NOT_IN_THE_LOG})


def families() -> dict[str, list[str]]:
    """Return the names by their family: what stands before the first dot."""
    found: dict[str, list[str]] = {}
    for name in known():
        found.setdefault(name.partition(".")[0], []).append(name)
    return found


WORDS = {
    "approval": "Approvals",
    "delivery": "Deliveries of notices",
    "group_memory": "Memory of groups",
    "log": "The log itself",
    "memory": "Memory and chat",
    "need": "Needs: what waits for people",
    "onboarding": "Onboarding of boards",
    "task": "Tasks and comments",
    "webhook": "Incoming webhooks",
}


def family_words(family: str) -> str:
    """Return what a family of events, such as `task` or `task.*`, is called on pages."""
    bare = family.removesuffix(".*")
    return WORDS.get(bare) or f"{bare.replace('_', ' ').capitalize()}s"


def read_kinds(sent: Iterable[str]) -> list[str]:
    """Return names and families (`task.*`) without repetition; raise ValueError for what is none.

    `task`, `task.` and `task.*` mean the same. An asterisk, or nothing, means all: an empty list.
    """
    names, groups = known(), families()
    found: set[str] = set()
    for text in (one.strip() for one in sent):
        bare = text.rstrip("*").rstrip(".")
        if text == "*":
            return []
        if bare in groups:
            found.add(f"{bare}.*")
        elif bare in names:
            found.add(bare)
        elif text:
            nearest = get_close_matches(bare, [*names, *groups], n=1)
            meant = f"; did you mean {nearest[0]}?" if nearest else ""
            raise ValueError(f"there are no events {text[:LONGEST]}{meant}")
    return sorted(one for one in found if not _is_covered(one, found))


def _is_covered(name: str, found: Collection[str]) -> bool:
    return not name.endswith(".*") and f"{name.partition('.')[0]}.*" in found


def _stored(value: list[str]) -> list[str]:
    return read_kinds(value)


Kinds = Annotated[list[Annotated[str, Field(max_length=LONGEST)]], Field(max_length=MOST), AfterValidator(_stored)]


def wants(kinds: Sequence[str], kind: str) -> bool:
    return not kinds or kind in kinds or f"{kind.partition('.')[0]}.*" in kinds
