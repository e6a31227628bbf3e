"""The heartbeat interval of a group's agents: who sets it, for whom, and what is recorded."""

from typing import Any

import orjson
import pytest

from mission_control.agents.models import Agent
from mission_control.people.models import Member
from tests.cast import Cast, events, head, kinds
from tests.groups.test_groups import made


async def config(agent_id: Any) -> Any:
    """Return an agent's heartbeat settings."""
    return (await Agent.get(id=agent_id)).heartbeat_config


async def test_interval_applies_to_workers_of_every_board(cast: Cast) -> None:
    path = await made(cast, cast.board, cast.other_board)
    await Agent.filter(id=cast.vega.id).update(heartbeat_config={"every": "1h", "quiet": True})
    before = await head(cast)
    answer = (await cast.ada.post(f"{path}/heartbeat", {"every": "30s"})).ok()
    assert list(answer) == ["board_group_id", "requested", "updated_agent_ids", "failed_agent_ids"]
    assert answer["requested"] == {"every": "30s", "include_board_leads": False}
    workers = {cast.vega.id, cast.rigel.id, cast.mira.id}
    assert set(answer["updated_agent_ids"]) == {str(one) for one in workers}
    assert answer["failed_agent_ids"] == []
    assert await config(cast.vega.id) == {"every": "30s", "quiet": True, "target": "last", "includeReasoning": False}
    assert (await config(cast.atlas.id))["every"] == "10m"
    recorded = await events(before, organization_id=cast.organization.id)
    assert {(one.kind, one.agent_id) for one in recorded} == {("agent.updated", one) for one in workers}
    changed = next(orjson.loads(one.data) for one in recorded if one.agent_id == cast.vega.id)
    assert changed["before"] == {"heartbeat_config": {"every": "1h", "quiet": True}}


async def test_unchanged_interval_is_counted_but_not_recorded(cast: Cast) -> None:
    path = await made(cast, cast.board)
    first = (await cast.ada.post(f"{path}/heartbeat", {"every": "2h", "include_board_leads": True})).ok()
    assert len(first["updated_agent_ids"]) == 3 and (await config(cast.atlas.id))["every"] == "2h"
    before = await head(cast)
    again = (await cast.ada.post(f"{path}/heartbeat", {"every": "2h", "include_board_leads": True})).ok()
    assert again == first and await kinds(cast, before) == []


async def test_group_without_agents(cast: Cast) -> None:
    answer = (await cast.ada.post(f"{await made(cast)}/heartbeat", {"every": "1d"})).ok()
    assert (answer["updated_agent_ids"], answer["failed_agent_ids"]) == ([], [])


@pytest.mark.parametrize("every", ["banana", "", "10", "m", "10w", "-5m", "1.5h", "10m 5s", "999999h", None, 5])
async def test_only_valid_durations_are_accepted(cast: Cast, every: Any) -> None:
    path = await made(cast, cast.board)
    [item] = (await cast.ada.post(f"{path}/heartbeat", {"every": every})).refused(422)
    assert item["loc"] == ["body", "every"]
    assert (await config(cast.vega.id))["every"] == "10m"


async def test_rights_come_from_the_groups_organization(cast: Cast) -> None:
    path = f"{await made(cast, cast.board)}/heartbeat"
    await Member.create(organization_id=cast.organization.id, user_id=cast.eve.id, role="admin", all_boards_write=True)
    (await cast.eve.post(path, {"every": "5m"})).ok()
    assert (await cast.eve.get(path.removesuffix("/heartbeat"))).refused(404) == "Not Found"
