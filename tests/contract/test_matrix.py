"""Who may do what: `matrix.csv` names every verb with a thing, and says for each of the cast whether it may."""

import csv
from pathlib import Path
from typing import Any

import pytest

from mission_control.agents.holds.models import Hold
from mission_control.agents.models import Agent, Budget, Connection, DeviceCode, ModelPrice
from mission_control.approvals.models import Approval
from mission_control.boards.models import Board, SavedView
from mission_control.channels.models import ReachChannel
from mission_control.core.actor import RULES, Actor, can, system
from mission_control.events.leases import Delivery
from mission_control.gateway_agents.models import Skill, SkillPack
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateway_agents.sessions.reading import Reach
from mission_control.gateways.models import Gateway
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import with_boards
from mission_control.memory.commands import write_memory
from mission_control.people.models import Invite, Job, Member, Token, User
from mission_control.questions.models import Question
from mission_control.tasks.models import Attachment, Comment, CustomField, Tag, Task, TaskProposal
from mission_control.transfer.models import BoardImport
from mission_control.webhooks.models import OutgoingWebhook, Webhook, WebhookPayload
from tests.cast import Cast, everybody
from tests.contract.source import modules

FILE = Path(__file__).with_name("matrix.csv")
FILE_FIELDS: dict[str, Any] = {"name": "x", "content_type": "text/plain", "size": 1, "sha256": "x"}


def table() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


async def things(cast: Cast) -> dict[str, Any]:
    task, other = await cast.add_task(), await cast.add_task()
    approval = await Approval.get(id=(await cast.ask(cast.vega, other))["id"])
    row = await Task.get(id=task["id"])
    row.board = approval.board = cast.board
    return {
        "nothing": None,
        "organization": cast.organization.id,
        "Observatory": cast.organization,
        "invitation": Invite(organization_id=cast.organization.id),
        "Cleo's membership": await Member.get(user_id=cast.cleo.id),
        "Ada's membership": await Member.get(user_id=cast.ada.id),
        "board": cast.board,
        "task": row,
        "approval": approval,
        "proposal": TaskProposal(board_id=cast.board.id, board=cast.board, agent_name="Vega", title="x", reason="x"),
        "shared view": SavedView(board=cast.board, user_id=cast.ada.id, name="x", is_shared=True),
        "Dan's view": SavedView(board=cast.board, user_id=cast.dan.id, name="x"),
        "worker": await Agent.get(id=cast.vega.id).select_related("board"),
        "worker's id": cast.vega.id,
        "budget": Budget(organization_id=cast.organization.id, unit="tokens", limit_amount=1),
        "price": ModelPrice(organization_id=cast.organization.id, model="m", since="2026-11-01"),
        "lead": await Agent.get(id=cast.atlas.id).select_related("board"),
        "delivery": Delivery(organization_id=cast.organization.id, agent_id=cast.vega.id, kind="x"),
        "question": Question(board_id=cast.board.id, board=cast.board, agent_id=cast.vega.id, content="x"),
        "hold": Hold(organization_id=cast.organization.id, board_id=cast.board.id, board=cast.board, program="codex"),
        "webhook": Webhook(board_id=cast.board.id, board=cast.board, description="x"),
        "channel": ReachChannel(organization_id=cast.organization.id, kind="x", name="x"),
        "payload": WebhookPayload(board_id=cast.board.id, board=cast.board, webhook_id=cast.board.id),
        "outgoing webhook": OutgoingWebhook(
            organization_id=cast.organization.id, board_id=cast.board.id, board=cast.board, url="x", secret="x"
        ),
        "outgoing webhook of the organization": OutgoingWebhook(organization_id=cast.organization.id),
        "gateway": Gateway(organization_id=cast.organization.id, name="x", url="ws://127.0.0.1:9"),
        "request of a gateway": GatewayRequest(organization_id=cast.organization.id, kind="approval"),
        "skill": Skill(organization_id=cast.organization.id, name="x", source_url="x"),
        "Cleo's job": Job(organization_id=cast.organization.id, user_id=cast.cleo.id),
        "waiting import": BoardImport(organization_id=cast.organization.id, user_id=cast.ada.id),
        "pack": SkillPack(organization_id=cast.organization.id, name="x", source_url="x"),
        "Cleo": await User.get(id=cast.cleo.id),
        "tag": Tag(organization_id=cast.organization.id, name="x", slug="x"),
        "custom field": CustomField(organization_id=cast.organization.id, field_key="x", label="x"),
        "Cleo's comment": Comment(task_id=row.id, task=row, user_id=cast.cleo.id, message="x"),
        "Vega's comment": Comment(task_id=row.id, task=row, agent_id=cast.vega.id, message="x"),
        "Cleo's file": Attachment(task_id=row.id, task=row, user_id=cast.cleo.id, **FILE_FIELDS),
        "Vega's file": Attachment(task_id=row.id, task=row, agent_id=cast.vega.id, **FILE_FIELDS),
        **await _written(cast),
        "sessions of the board": Reach(Gateway(organization_id=cast.organization.id), cast.board),
        "sessions of a gateway": Reach(Gateway(organization_id=cast.organization.id)),
        "Vega's connection": Connection(
            organization_id=cast.organization.id, board_id=cast.board.id, agent_id=cast.vega.id, user_id=cast.cleo.id
        ),
        "terminal": DeviceCode(user_code="BCDFGHJK"),
        "Cleo's token": await Token.get(user_id=cast.cleo.id),
    }


async def _written(cast: Cast) -> dict[str, Any]:
    """A group of the board, and what Vega wrote down for both."""
    group = await BoardGroup.create(organization_id=cast.organization.id, name="Sky", slug="sky")
    await Board.filter(id=cast.board.id).update(board_group_id=group.id)
    vega, board = await cast.vega.actor(), await Board.get(id=cast.board.id)
    entry = await write_memory(vega, board, "A note")
    group = await with_boards(group)
    return {
        "group": group,
        "Vega's entry": entry,
        "Vega's entry for the group": await write_memory(vega, group, "A note"),
    }


async def actors(cast: Cast) -> dict[str, Actor]:
    found: dict[str, Actor] = {name: await caller.actor() for name, caller in everybody(cast).items()}
    return {**found, "system": system(cast.organization.id)}


def test_every_verb_has_a_row() -> None:
    modules()
    assert set(RULES) - {row["verb"] for row in table()} == set()
    assert {row["verb"] for row in table()} - set(RULES) == set()


def test_matrix_is_complete() -> None:
    rows = table()
    assert len({(row["verb"], row["thing"]) for row in rows}) == len(rows)
    for row in rows:
        assert {value for key, value in row.items() if key not in ("verb", "thing")} <= {"allow", "deny"}, row


@pytest.mark.once
@pytest.mark.parametrize("thing", sorted({row["thing"] for row in table()}))
async def test_rights_match_the_matrix(cast: Cast, thing: str) -> None:
    modules()
    known, who = (await things(cast))[thing], await actors(cast)
    for row in table():
        if row["thing"] == thing:
            names = set(row) - {"verb", "thing"}
            assert names == set(who)
            found = {name: "allow" if can(who[name], row["verb"], known) else "deny" for name in names}
            assert found == {name: row[name] for name in names}, row["verb"]
