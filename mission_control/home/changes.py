"""The news of the list as single rows, so that a long list is not sent and compared whole for every answer."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mission_control.core.actor import Actor
from mission_control.core.json import to_json
from mission_control.home.answered import answered_by_others
from mission_control.home.view import MOST, HomeAddress, HomeView, shown_of
from mission_control.live.stream import Batch
from mission_control.needs.finding import Filter, find_keys
from mission_control.needs.kinds import KINDS, Key
from mission_control.needs.listing import said
from mission_control.needs.schemas import Group
from mission_control.web.fragments import partial, render_block, render_macro

PARTS, ROWS = "home/parts.html", "needs/rows.html"
MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class _Change:
    """How the list differs from what the page has: new rows, changed rows, and the names of rows that are gone."""

    added: list[Key]
    changed: list[Key]
    gone: list[str]


async def queue_changes(view: HomeView, _batch: Batch) -> str | None:
    """Return the rows that came, changed or went since the last news of this page; None where all of it is needed."""
    keys = await find_keys(view.actor, Filter(include=view.address.include), MOST)
    shown, before = shown_of(keys, view.address), dict(view.sent)
    view.sent.clear()
    view.sent.update(versions(shown))
    change = _difference(before, shown) if before else None
    if change is None or len(change.added) + len(change.changed) > MOST_ROWS:
        return None
    return await _html(view, change, keys)


def versions(shown: Sequence[Key]) -> dict[str, str]:
    """Return the names of rows with the versions that a page has of them."""
    return {key.name: key.version for key in shown}


def state_of(shown: Sequence[Key]) -> str:
    """Return a short name for what a page shows: its stream then knows whether that is still so."""
    return hashlib.sha256(to_json(versions(shown))).hexdigest()[:16]


async def known_rows(actor: Actor, address: HomeAddress) -> dict[str, str]:
    """Return the rows of a page that opens its stream; empty when they have changed since it was read."""
    shown = shown_of(await find_keys(actor, Filter(include=address.include), MOST), address)
    return versions(shown) if address.state == state_of(shown) else {}


def _difference(before: dict[str, str], shown: Sequence[Key]) -> _Change | None:
    """Return the change, None where a group comes or goes, or a new row does not stand at the end of its group."""
    now = {key.name for key in shown}
    if {_group_of(name) for name in before} != {_group_of(name) for name in now}:
        return None
    added = [key for key in shown if key.name not in before]
    for group in {_group(key) for key in added}:
        row = [key.name not in before for key in shown if _group(key) == group]
        if row != sorted(row):
            return None
    changed = [key for key in shown if before.get(key.name, key.version) != key.version]
    return _Change(added, changed, [name for name in before if name not in now])


def _group(key: Key) -> Group:
    return KINDS[key.kind].group


def _group_of(name: str) -> Group:
    kind = name.partition(":")[0]
    return next(one.group for one in KINDS.values() if one.kind == kind)


async def _html(view: HomeView, change: _Change, keys: Sequence[Key]) -> str:
    needs = {one.id: one for one in await said(view.actor, [*change.added, *change.changed])}
    opened = view.address.opened
    others = {one.id: one for one in await answered_by_others(view.actor, opened)} if change.gone else {}
    html = ""
    for name in change.gone:
        struck = render_macro(ROWS, "answered", one=others[name]) if name in others else ""
        html += partial(_target(name), struck, "outerMorph" if struck else "delete")
    for key in change.changed:
        if key.name in needs:
            html += partial(_target(key.name), render_macro(ROWS, "need", item=needs[key.name]), "outerMorph")
    for key in change.added:
        if key.name in needs:
            html += partial(f"#needs-{_group(key)}", render_macro(ROWS, "need", item=needs[key.name]), "beforeend")
    counts = Counter(_group(key) for key in keys)
    html += "".join(partial(f"#count-{group}", str(number), "innerHTML") for group, number in counts.items())
    return html + partial("#needs-rest", await render_block(PARTS, "rest", **rest_of(view.address, keys)))


def rest_of(address: HomeAddress, keys: Sequence[Key], total: int = 0) -> dict[str, object]:
    """Return what the line below the list says: how many rows it has, how many there are, and which is next."""
    number = len(shown_of(keys, address))
    next_name = keys[number].name if number < len(keys) else ""
    return {"address": address, "shown": number, "total": max(total, len(keys)), "next_name": next_name}


def _target(name: str) -> str:
    return f"#need-{name.replace(':', '-')}"
