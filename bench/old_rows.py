"""What grows with the age of an installation beside tasks and their events, for `bench.old`.

All of it is written straight to the tables; entries of the account log are chained as the program does it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.models import Model
from tortoise.transactions import in_transaction

from bench.data import TEXT
from mission_control.agents.models import UsageEntry
from mission_control.agents.reactions import NOTICE
from mission_control.core.values import new_id
from mission_control.database.records import insert
from mission_control.events.event_log import canonical
from mission_control.events.leases import Delivery
from mission_control.events.models import IdempotencyRecord
from mission_control.memory.models import BoardMemory, GroupMemory
from mission_control.notifications.models import Notification
from mission_control.people.audit.account_log import AccountHead, chain_hash, locked_head, save_head
from mission_control.people.jobs.commands import KEPT_FOR
from mission_control.people.models import AccountEvent, Invite, Job, Session, Token
from mission_control.questions.models import Question
from mission_control.tasks.models import (
    ChecklistItem,
    CustomField,
    CustomFieldBoard,
    CustomFieldValue,
    Tag,
    TagAssignment,
    Task,
    TaskDependency,
)
from mission_control.webhooks.models import Webhook, WebhookPayload

BATCH = 2_000  # rows in a transaction
TAGS = 20
UNREAD = 20  # notifications


@dataclass(frozen=True)
class Installation:
    """What is there already; `names` are those of agents, `end` is when its `days` are over."""

    organization_id: UUID
    user_id: UUID
    group_id: UUID
    tasks: Sequence[Task]
    names: dict[UUID, str]
    end: datetime
    days: float

    @property
    def boards(self) -> list[UUID]:
        return list(dict.fromkeys(task.board_id for task in self.tasks))


async def fill(old: Installation, chance: random.Random) -> None:
    """Add what an installation with these tasks has gathered, the newest first."""
    size = len(old.tasks)
    moments = [old.end - timedelta(days=old.days * number / size) for number in range(size)]
    for rows in (
        _about_tasks(old, chance),
        _said(old, moments, chance),
        _sent(old, moments, chance),
        _of_people(old, moments),
    ):
        for found in _by_table(rows).values():
            await insert_all(found)
    await _account_log(old, moments[::10])


async def insert_all(things: Sequence[Model]) -> None:
    for batch in batches(things, BATCH):
        async with in_transaction():
            await insert(*batch)


def batches[T](items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _by_table(rows: Iterator[Model]) -> dict[type[Model], list[Model]]:
    found: dict[type[Model], list[Model]] = {}
    for row in rows:
        found.setdefault(type(row), []).append(row)
    return found


def _about_tasks(old: Installation, chance: random.Random) -> Iterator[Model]:
    """Yield tags, a custom field, dependencies and steps."""
    whose = {"organization_id": old.organization_id}
    tags = [Tag(id=new_id(), name=f"Tag {number}", slug=f"tag-{number}", **whose) for number in range(TAGS)]
    field = CustomField(id=new_id(), field_key="size", label="Size", field_type="integer", **whose)
    yield from [*tags, field]
    for board_id in old.boards:
        yield CustomFieldBoard(id=new_id(), board_id=board_id, field_id=field.id)
    last: dict[UUID, Task] = {}
    for number, task in enumerate(old.tasks):
        before, last[task.board_id] = last.get(task.board_id), task
        about = {"id": new_id(), "task_id": task.id}
        if number % 2:
            yield TagAssignment(**about, tag_id=chance.choice(tags).id)
        if number % 3 == 0:
            yield CustomFieldValue(**about, field_id=field.id, value=chance.randint(1, 8))
        if number % 4 == 0 and before is not None:
            yield TaskDependency(**about, board_id=task.board_id, depends_on_task_id=before.id)
        if number % 5 == 0:
            yield ChecklistItem(**about, text="Read it once more", position=1.0, is_done=True)


def _said(old: Installation, moments: Sequence[datetime], chance: random.Random) -> Iterator[Model]:
    """Yield memory of boards and of their group, answered questions, and notifications, most of them read."""
    boards, agents = old.boards, list(old.names)
    for number, moment in enumerate(moments[::4]):
        board_id, agent = boards[number % len(boards)], chance.choice(agents)
        entry = {"content": TEXT, "is_chat": number % 2 == 0, "author_agent_id": agent, "created_at": moment}
        yield BoardMemory(id=new_id(), board_id=board_id, **entry)
        if number % 5 == 0:
            yield GroupMemory(id=new_id(), board_group_id=old.group_id, **entry)
        if number % 3 == 0:
            yield Question(
                id=new_id(), board_id=board_id, agent_id=agent, agent_name=old.names[agent], content=TEXT,
                state="answered", answer="Yes", answered_by_user_id=old.user_id, answered_at=moment, created_at=moment,
            )  # fmt: skip
        task = chance.choice(old.tasks)
        yield Notification(
            id=new_id(), organization_id=old.organization_id, user_id=old.user_id, kind="assignment",
            board_id=task.board_id, task_id=task.id, actor_kind="agent", actor_id=agent, actor_name=old.names[agent],
            created_at=moment, read_at=moment if number >= UNREAD else None,
        )  # fmt: skip


def _sent(old: Installation, moments: Sequence[datetime], chance: random.Random) -> Iterator[Model]:
    """Yield notices that arrived, usage, calls of webhooks, and answers kept for retries."""
    boards, agents = old.boards, list(old.names)
    webhooks = [Webhook(id=new_id(), board_id=board, description="Deployments") for board in boards]
    yield from webhooks
    for number, moment in enumerate(moments[::2]):
        whose = {
            "organization_id": old.organization_id, "agent_id": chance.choice(agents),
            "board_id": boards[number % len(boards)], "created_at": moment,
        }  # fmt: skip
        yield Delivery(
            id=new_id(), seq=None, kind=NOTICE, header="TASK ASSIGNED", text=TEXT, state="sent", due_at=moment,
            sent_at=moment, **whose,
        )  # fmt: skip
        day = str(moment.date())
        yield UsageEntry(id=new_id(), day=day, input_tokens=1_000, output_tokens=100, cost_micros=900, **whose)
    for number, moment in enumerate(moments[::5]):
        webhook = webhooks[number % len(webhooks)]
        yield WebhookPayload(
            id=new_id(), board_id=webhook.board_id, webhook_id=webhook.id, payload={"text": TEXT}, headers={},
            content_type="application/json", received_at=moment,
        )  # fmt: skip
        yield IdempotencyRecord(
            id=new_id(), actor_id=chance.choice(agents), key=str(number), request_hash="", status=200, answer="",
            created_at=old.end - timedelta(seconds=number),
        )  # fmt: skip


def _of_people(old: Installation, moments: Sequence[datetime]) -> Iterator[Model]:
    """Yield sessions and tokens that are over, long work that was read, and invitations that nobody took."""
    for number, moment in enumerate(moments[::20]):
        name, created = f"old {number}", {"id": new_id(), "created_at": moment}
        mine = {**created, "user_id": old.user_id}
        yield Session(**mine, fingerprint=name, expires_at=moment, last_seen_at=moment)
        if number % 10 == 0:
            yield Token(**mine, name=name, prefix="mcu_old", fingerprint=name, revoked_at=moment)
        if old.end - moment < KEPT_FOR:
            yield Job(
                **mine, organization_id=old.organization_id, kind="board_import", title="Import of a board",
                state="done", updated_at=moment, finished_at=moment, read_at=moment,
            )  # fmt: skip
        yield Invite(
            **created, organization_id=old.organization_id, invited_email=f"person{number}@example.org",
            fingerprint=name, created_by_user_id=old.user_id, expires_at=moment,
        )  # fmt: skip


async def _account_log(old: Installation, moments: Sequence[datetime]) -> None:
    async with in_transaction():
        head, entries = await locked_head(), []
        for moment in reversed(moments):
            entry = AccountEvent(
                id=new_id(), seq=head.seq + 1, kind="account.signed_in", user_id=old.user_id, actor_id=old.user_id,
                data=canonical({}), prev_hash=head.digest, created_at=moment,
            )  # fmt: skip
            entry.hash = chain_hash(entry)
            head = AccountHead.signed(entry.seq, entry.hash)
            entries.append(entry)
        for batch in batches(entries, BATCH):
            await insert(*batch)
        await save_head(head)
