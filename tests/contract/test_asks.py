"""Every kind of asks that features declare: where it stands, what concerns it, and that its statements run."""

from datetime import timedelta
from pathlib import Path

import pytest

from mission_control.core import times
from mission_control.database.sql import rows
from mission_control.events import event_log as events
from mission_control.needs.kinds import GROUPS, KINDS, NeedKind
from mission_control.needs.queries import count, waiting_in
from mission_control.server import installation
from tests.cast import Cast

installation.install()
SIGNALS = {
    "reach_channel",
    "reach_of",
    "agent_id",
    "gateway_id",
    "inbox_of",
    "budgets",
    "needs_of",
    "unreached",
    "hold_id",
}


def test_kinds_stand_in_the_order_of_the_list() -> None:
    places = [kind.place for kind in KINDS.values()]
    assert places == sorted(set(places)) and {kind.group for kind in KINDS.values()} == set(GROUPS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_kind_names_events_signals_and_icons_that_exist(kind: NeedKind[object]) -> None:
    assert all(any(event.startswith(one) for event in events.KINDS) for one in kind.concerns) and kind.concerns
    assert set(kind.signals) <= SIGNALS
    assert {one for one in kind.endings if not one.startswith("=")} <= set(events.KINDS)
    assert kind.endings or kind.is_for_admins, "nobody can be told who was faster"
    assert kind.title
    icon, tone = kind.glyph
    assert f'<symbol id="{icon}"' in Path("static/icons/sprite.svg").read_text(encoding="utf-8")
    assert tone in ("ask", "warn", "bad")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_statements_of_a_kind_run(cast: Cast, kind: NeedKind[object]) -> None:
    owner = "organization_id" if kind.is_for_admins else "board_id"
    assert await rows(f"SELECT {owner} FROM {kind.table} WHERE 1 = 0") == []
    if (begins := kind.begins(times.clock_now() - timedelta(minutes=1), times.clock_now())) is not None:
        await rows(begins[0], *begins[1])
    assert await kind.decides([cast.organization.id]) == {}


async def test_counts_agree_without_needs(cast: Cast) -> None:
    actor = await cast.ada.actor()
    waiting = await waiting_in(cast.organization.id)
    assert (await count(actor)).counts.total == waiting.for_person(actor) == 0
