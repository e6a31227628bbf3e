"""Many things that wait for one person, of every kind, put into the database at once: too many to be asked for.

For a server in another process: `DATA_DIR=… python -m tests.many_needs BOARD_ID USER_ID NUMBER`.
"""

import sys
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mission_control.agents.holds.models import Hold
from mission_control.agents.models import Agent
from mission_control.agents.reactions import NOTICE
from mission_control.approvals.models import Approval, ApprovalTask
from mission_control.boards.models import Board, Run
from mission_control.channels.models import Device, ReachChannel
from mission_control.cli.database import with_database
from mission_control.core import times
from mission_control.core.settings import Settings
from mission_control.events.leases import Delivery
from mission_control.gateway_agents.requests.models import GatewayRequest
from mission_control.gateways.connections.connector import INVENTED
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.identity import keep_settings, sealed
from mission_control.needs.kinds import KINDS
from mission_control.questions.models import Question
from mission_control.server import installation
from mission_control.tasks.models import Task, TaskProposal
from mission_control.webhooks.models import OutgoingWebhook

ONE_OF_A_KIND = {"budget", "unreached", "team"}  # one for each agent, person, board or organization
OPTIONS = [
    {"id": "wide", "label": "The wide one", "outcome": "I order it today.", "recommended": True},
    {"id": "long", "label": "The long one", "outcome": "I wait for stock.", "recommended": False},
]
COMMAND = {"command": "git push", "kind": "exec", "allowed_decisions": ["allow-once", "deny"]}


def kinds_put() -> list[str]:
    """The kinds that features declare, in the order of the list, but those of which there are few."""
    installation.install()
    return [kind for kind in KINDS if kind not in ONE_OF_A_KIND]


async def put_needs(board: Board, user_id: UUID, number: int) -> dict[str, int]:
    """Put so many needs on a board and its organization, as evenly of every kind as it goes; returns how many each."""
    kinds = kinds_put()
    counts = {kind: number // len(kinds) + (place < number % len(kinds)) for place, kind in enumerate(kinds)}
    place = await Agent.filter(board_id=board.id).count()  # so that names differ when more are put
    agent = await Agent.create(
        name=f"Orion {place}",
        organization_id=board.organization_id,
        board_id=board.id,
        last_seen_at=_before(minutes=38),
    )
    gateway = await Gateway.create(**_gateway(board, "Basement", "connected"))
    tasks = await _put_tasks(board, user_id, agent, counts)
    await _put_approvals(board, agent, tasks[: counts["approval"]])
    await TaskProposal.bulk_create([_proposal(board, agent, one) for one in range(counts["proposal"])])
    await Question.bulk_create([_question(board, agent, one) for one in range(counts["question"])])
    await Hold.bulk_create([_hold(board, place, one) for one in range(counts["hold"])])
    await GatewayRequest.bulk_create([_request(board, gateway, one) for one in range(counts["request"])])
    pairing = [Gateway(**_gateway(board, f"Attic {place}.{one}", "pairing")) for one in range(counts["gateway"])]
    await Gateway.bulk_create(pairing)
    await Delivery.bulk_create([_delivery(board, agent, one) for one in range(counts["delivery"])])
    await OutgoingWebhook.bulk_create([_outgoing(board, one) for one in range(counts["outgoing_webhook"])])
    await ReachChannel.bulk_create([_channel(board, one) for one in range(counts["channel"])])
    await Device.bulk_create([_device(user_id, place, one) for one in range(counts["device"])])
    return counts


def _device(user_id: UUID, place: int, number: int) -> Device:
    return Device(
        user_id=user_id, kind="ntfy", address="", label=f"Phone {place}.{number}", last_error="403 forbidden",
        failed_at=_before(hours=3),
    )  # fmt: skip


def _channel(board: Board, number: int) -> ReachChannel:
    return ReachChannel(
        organization_id=board.organization_id, kind="slack", name=f"Slack {number}", state="failing",
        last_error="invalid_auth", failing_since=_before(hours=3),
    )  # fmt: skip


def _outgoing(board: Board, number: int) -> OutgoingWebhook:
    return OutgoingWebhook(
        organization_id=board.organization_id,
        description=f"Warehouse {number}",
        url=sealed("https://nobody.invalid/hooks"),
        secret=sealed("whsec_none"),
        state="failed",
        reason="The receiver answered with status 503.",
        failing_since=_before(hours=25),
    )


def _before(**span: float) -> datetime:
    return times.clock_now() - timedelta(**span)


async def _put_tasks(board: Board, user_id: UUID, agent: Agent, counts: dict[str, int]) -> list[Task]:
    """Put a task for each need that is about one; those of approvals are the first."""
    states: dict[str, dict[str, Any]] = {
        "approval": {"status": "in_progress"},
        "review": {"status": "review"},
        "flagged": {"flagged_at": _before(hours=2), "flag_reason": "Five leases ran out.", "failed_attempts": 5},
        "silent": {"status": "in_progress", "assigned_agent_id": agent.id, "fence": 1},
        "not_resumed": {"status": "inbox", "assigned_agent_id": agent.id, "rework_at": _before(hours=2)},
        "overdue": {"assigned_user_id": user_id, "due_at": _before(hours=5)},
    }
    first = (await Task.filter(board_id=board.id).count()) + 1
    plan = [(kind, fields) for kind, fields in states.items() for _ in range(counts[kind])]
    tasks = [
        Task(board_id=board.id, number=number, title=f"Polish mirror {number}", position=float(number), **fields)
        for number, (_, fields) in enumerate(plan, first)
    ]
    await Task.bulk_create(tasks)
    await Board.filter(id=board.id).update(task_count=first + len(tasks) - 1)  # accepted proposals are the next ones
    runs = [
        Run(board_id=board.id, task_id=task.id, agent_id=agent.id, agent_name=agent.name, fence=1,
            started_at=_before(hours=1))
        for task, (kind, _) in zip(tasks, plan, strict=True) if kind == "silent"
    ]  # fmt: skip
    await Run.bulk_create(runs)
    return tasks


async def _put_approvals(board: Board, agent: Agent, tasks: list[Task]) -> None:
    asked = [
        Approval(board_id=board.id, agent_id=agent.id, action_type="publish", confidence=60 + one % 40,
                 payload={"reason": f"Mirror {one} is ready."}, rubric_scores={"risk": 20})
        for one in range(len(tasks))
    ]  # fmt: skip
    await Approval.bulk_create(asked)
    await ApprovalTask.bulk_create(
        [ApprovalTask(approval_id=one.id, task_id=task.id) for one, task in zip(asked, tasks, strict=True)]
    )


def _proposal(board: Board, agent: Agent, one: int) -> TaskProposal:
    return TaskProposal(
        board_id=board.id, agent_id=agent.id, agent_name=agent.name, title=f"Oil dome {one}", reason="It squeaks."
    )


def _question(board: Board, agent: Agent, one: int) -> Question:
    return Question(
        board_id=board.id, agent_id=agent.id, agent_name=agent.name, content=f"Which lens for mirror {one}?",
        options=OPTIONS,
    )  # fmt: skip


def _hold(board: Board, place: int, one: int) -> Hold:
    return Hold(
        organization_id=board.organization_id, board_id=board.id, program="codex", host_label=f"laptop-{place}-{one}",
        account="5f0c", kind="window", words="Limit reached", until=_before(hours=-2),
    )  # fmt: skip


def _request(board: Board, gateway: Gateway, one: int) -> GatewayRequest:
    return GatewayRequest(
        organization_id=board.organization_id, gateway_id=gateway.id, kind="approval", external_id=f"r{one}",
        gateway_agent_id="main", agent_name="Main", action_type="gateway.exec", payload={"gateway_request": COMMAND},
    )  # fmt: skip


def _gateway(board: Board, name: str, state: str) -> dict[str, Any]:
    """A gateway that stays as it is, because no process connects to its address."""
    return {
        "organization_id": board.organization_id, "name": name, "url": INVENTED, "workspace_root": "~", "state": state,
        "pairing_request_id": f"pair-{name}", "pairing_device_id": "7f2c91ad",
    }  # fmt: skip


def _delivery(board: Board, agent: Agent, one: int) -> Delivery:
    return Delivery(
        organization_id=board.organization_id, agent_id=agent.id, board_id=board.id, kind=NOTICE, seq=one + 1,
        header="TASK ASSIGNED", text="Take it.", state="failed", attempts=6, last_error="Nobody answered.",
    )  # fmt: skip


async def _main(settings: Settings) -> None:
    keep_settings(settings)
    board_id, user_id, number = sys.argv[1:4]
    await put_needs(await Board.get(id=UUID(board_id)), UUID(user_id), int(number))


if __name__ == "__main__":
    with_database(_main)
