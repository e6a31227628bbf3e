"""Several needs at once: the exact list, and the answers that they have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.needs.finding import Filter, find_keys
from mission_control.needs.listing import said
from mission_control.needs.schemas import Need, NeedAnswer, NeedResults

MOST = 200


@dataclass(frozen=True, slots=True)
class Offer:
    """An answer that may be given to many at once: to how many of the chosen ones, and how many can be taken back."""

    answer: NeedAnswer
    number: int
    undoable: int


async def chosen_needs(actor: Actor, ids: Sequence[str]) -> list[Need]:
    """Return the needs with these ids that still wait, in the order of the list."""
    wanted = set(ids[:MOST])
    subjects = [subject for name in wanted if (subject := parse_id(name.partition(":")[2])) is not None]
    if not subjects:
        return []
    keys = await find_keys(actor, Filter(ids=tuple(set[UUID](subjects)), include="all"), 2 * MOST)
    return await said(actor, [key for key in keys if key.name in wanted])


def offers(needs: Sequence[Need]) -> list[Offer]:
    """Return the answers that may be given to several of these needs at once, those for most needs first."""
    found: dict[str, list[NeedAnswer]] = {}
    for need in needs:
        for answer in need.answers:
            if answer.in_bulk:
                found.setdefault(answer.id, []).append(answer)
    made = [Offer(same[0], len(same), sum(one.undoable for one in same)) for same in found.values()]
    return sorted(made, key=lambda one: (one.answer.key is None, -one.number))


def undone_words(results: NeedResults) -> str:
    """Return what was taken back."""
    if results.undone:
        said = "It waits again." if results.undone == 1 else f"{results.undone} wait again."
    else:
        said = "Nothing was taken back."
    reasons = dict.fromkeys(one.message for one in results.results if one.message)
    return " ".join([said, *filter(None, reasons)])[:300]
