"""Approvals that a person may decide."""

from typing import Any
from uuid import UUID

from mission_control.approvals import queue
from mission_control.approvals.decisions import held_tasks, locked_approval, task_ids_of
from mission_control.approvals.finishing import asks_to_finish
from mission_control.approvals.items import Item, Score
from mission_control.approvals.models import Approval
from mission_control.approvals.substance import parts_of_approvals
from mission_control.needs.kinds import Key, NeedKind, Page, Seeker
from mission_control.needs.saying import answer, deadline_facts, fact, in_one_line, need, operation, shortened
from mission_control.needs.schemas import Need, NeedAnswer, NeedFact, NeedOtherwise, NeedParty, NeedTask

NOTE = ("note", "What should change?", True)
WHY = ("note", "Why?", False)


def find(seeker: Seeker) -> tuple[str, list[Any]] | None:
    """Find pending approvals; one changes with what it is about."""
    return (
        "SELECT 'approval' AS kind, a.id AS id, a.created_at AS since, a.board_id AS board_id,"
        " CAST(NULL AS UUID) AS owner_id, COALESCE(a.decide_by, a.expires_at) AS act_by,"
        " CAST(a.updated_at AS TEXT) || COALESCE((SELECT CAST(MAX(t.updated_at) AS TEXT) FROM approval_task_links l"
        " JOIN tasks t ON t.id = l.task_id WHERE l.approval_id = a.id), '') AS version"
        " FROM approvals a JOIN mine ON mine.id = a.board_id WHERE a.status = 'pending'",
        [],
    )


async def say(page: Page) -> list[Need]:
    """Say what each approval asks for."""
    items = {item.id: item for item in await queue.items_of(page.actor, list(page.boards.values()), page.ids)}
    return [_need(page, key, items[key.id]) for key in page.keys if key.id in items]


def _need(page: Page, key: Key, item: Item) -> Need:
    party = NeedParty(id=item.asker_id, name=item.asker)
    is_agent = item.asker_kind == "agent"
    return need(
        page,
        key,
        title=title_of(item),
        reason=in_one_line(item.reason),
        url=item.url,
        facts=_facts(item),
        answers=answers_of(item),
        high_risk=_is_dangerous(item),
        otherwise=NeedOtherwise(at=item.decide_by or item.expires_at, text=item.without_decision),
        tasks=[NeedTask(id=one.id, number=one.number, title=one.title, status=one.status) for one in item.tasks],
        agent=party if is_agent else None,
        person=None if is_agent else party,
    )


def title_of(item: Item) -> str:
    """Return what is asked: `Approve: Kit finishes #20 Cache the catalogue pages`."""
    if asks_to_finish(item.action_type) and item.tasks:
        return f"Approve: {item.asker} finishes {item.title.removeprefix('Finish ')}"
    return f"Approve: {item.title}"


def _is_dangerous(item: Item) -> bool:
    asked = item.request
    return any(one.level == "high" for one in _risks(item)) or (
        asked is not None and bool(asked.risks or asked.warnings)
    )


def _risks(item: Item) -> list[Score]:
    return [one for one in item.rubric if one.name.lower() in ("risk", "risks")]


def _facts(item: Item) -> list[NeedFact]:
    facts = [fact("bot" if item.asker_kind == "agent" else "user", item.asker)]
    if item.evidence:
        first = item.evidence[0]
        more = f" and {len(item.evidence) - 1} more" if len(item.evidence) > 1 else ""
        facts.append(fact("external-link", f"{shortened(first.name, 60)}{more}", url=first.url))
    if item.shown.diff_stat:
        facts.append(fact("code", item.shown.diff_stat))
    if item.request is not None:
        facts += [fact("triangle-alert", shortened(one, 120), "warn") for one in item.request.warnings[:2]]
        facts += [fact("triangle-alert", risk, "warn") for risk in item.request.risks[:2]]
    if item.confidence is not None and item.asker_kind == "agent":
        low = item.confidence_word == "Low"
        facts.append(fact("gauge", f"{item.confidence} % sure", "warn" if low else ""))
    facts += [fact("shield-check", f"{one.level} risk", one.warning) for one in _risks(item)]
    return facts + deadline_facts(item.reminded_at, item.asked_name)


def answers_of(item: Item) -> list[NeedAnswer]:
    """Return what can be answered: approve, send back, reject; for a gateway also approve the next times."""
    ids = {"board_id": item.board.id, "approval_id": item.id}
    is_outside = item.request is not None

    def decision(note: tuple[str, str, bool] | None = None, **body: Any) -> Any:
        return operation("decide_approval", ids, body, note)

    answers = [
        answer(
            "approve",
            "A",
            "Approve",
            item.effects["approve"],
            decision(WHY, decision="approved"),
            note=WHY,
            recommended=True,
            undoable=not is_outside,
            in_bulk=not is_outside,
        )
    ]
    if item.request is not None and item.request.allows_always:
        always = decision(WHY, decision="approved", always=True)
        answers.append(answer("always", "1", "Always approve", item.effects["always"], always, note=WHY))
    answers.append(
        answer(
            "send_back",
            "R",
            "Send back",
            item.effects["send_back"],
            decision(NOTE, decision="changes_requested"),
            note=NOTE,
            course="stop" if is_outside else "go",
            undoable=not is_outside,
            in_bulk=not is_outside,
        )
    )
    for name, label, effect, body in _rejections(item):
        answers.append(
            answer(
                name,
                None,
                label,
                effect,
                decision(WHY, decision="rejected", **body),
                note=WHY,
                course="stop",
                undoable=not is_outside,
                in_bulk=not is_outside,
            )
        )
    return answers


async def hold(approval_id: UUID) -> None:
    """Lock the tasks of an approval, then the approval."""
    approval = await Approval.get_or_none(id=approval_id).select_related("board")
    if approval is not None:
        await held_tasks(approval.board_id, await task_ids_of(approval))
        await locked_approval(approval)


def _rejections(item: Item) -> list[tuple[str, str, str, dict[str, str]]]:
    """Return the ways to reject: of handed-in work, what becomes of its task."""
    if not item.ends_work:
        return [("reject", "Reject", item.effects["reject"], {})]
    over = f"The work of {item.asker} is over"
    return [
        ("reject", "Reject, back to the inbox", f"{over}; the task is nobody's.", {"then": "inbox"}),
        ("reject_mine", "Reject, I take it over", f"{over}; the task is yours, in progress.", {"then": "mine"}),
        ("reject_trash", "Reject and delete the task", f"{over}; the task goes to the trash.", {"then": "trash"}),
    ]


KIND = NeedKind("approval", "answer", find, say, parts_of_approvals, ("approval.", "board."), hold=hold)
