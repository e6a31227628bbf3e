"""Approvals that a person may decide, as a kind of needs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from mission_control.approvals.commands import reopen_approval
from mission_control.approvals.decisions import apply_deadline, go_on, held_tasks, locked_approval, task_ids_of
from mission_control.approvals.models import Approval
from mission_control.approvals.payloads import OutsideRequest, asks_to_finish, in_full
from mission_control.approvals.queries import parts_of_approvals, visible_approval
from mission_control.approvals.views import Item, item_of, items_of, queue
from mission_control.approvals.votes import DONE, IS_DONE_FOR, has_voted, missing_for
from mission_control.boards.hand_in_counts import counted, counted_of
from mission_control.boards.models import Board
from mission_control.boards.queries import boards_with
from mission_control.core import times
from mission_control.core.actor import Actor, BoardLike
from mission_control.core.programs import program_name
from mission_control.core.substance import Parts
from mission_control.core.values import JsonObject
from mission_control.database.sql import rows
from mission_control.needs import kinds
from mission_control.needs.pages import queue_row
from mission_control.needs.schemas import Need, NeedAnswer, NeedFact, NeedParty
from mission_control.needs.wording import answer, deadline_facts, fact, in_one_line, link_facts, need, shortened

NOTE = ("note", "What should change?", True)
WHY = ("note", "Why?", False)


def title_of(item: Item) -> str:
    if asks_to_finish(item.action_type) and item.tasks:
        return f"Approve: {item.asker} finishes {item.title.removeprefix('Finish ')}"
    if item.request is not None and item.request.client:
        return f"{item.asker} asks to {item.request.asks_to}{item.for_task}"
    return f"Approve: {item.title}"


def _facts(item: Item) -> list[NeedFact]:
    facts = [*_counted(item), fact("user" if item.is_of_person else "bot", item.asker), *item.counted.branch]
    facts += link_facts([(link.name, link.url) for link in item.evidence])
    if item.request is not None and item.request.client:
        facts.append(fact("laptop", _machine(item.request)))
    elif item.request is not None:
        facts += [fact("terminal", f"{label}: {value}") for label, value in item.request.facts if label != "In"]
    if item.sure is not None and not item.is_of_person:
        facts.append(fact("gauge", f"{item.sure} % sure", "warn" if item.sure_word == "Low" else ""))
    if item.standing:
        facts.append(fact("users", item.standing))
    if item.lapsed:
        facts.append(fact("rotate-ccw", item.lapsed, "warn"))
    return facts + deadline_facts(item.reminded_at, item.asked)


def _counted(item: Item) -> list[NeedFact]:
    facts = [*item.counted.facts]
    if item.request is not None:
        risk = item.request.risk_words if item.request.client else ", ".join(item.request.risks[:2])
        tone = {"high": "bad", "medium": "warn"}.get(item.request.risk, "") if item.request.client else "warn"
        facts += [fact("shield-check", f"{risk[:1].upper()}{risk[1:]}", tone)] if risk else []
        facts += [fact("triangle-alert", shortened(warning, 120), "warn") for warning in item.request.warnings[:2]]
        facts += [fact("folder", where) for label, where in item.request.facts if label == "In"]
    facts += [
        fact("shield-check", f"{score.level.capitalize()} risk", "warn" if score.verdict[0] == "bad" else "")
        for score in item.risks
    ]
    if item.shown.diff_stat:
        facts.append(fact("file-diff", item.shown.diff_stat))
    return counted(facts)


def _machine(request: OutsideRequest) -> str:
    return " on ".join(filter(None, (program_name(request.client, request.client), dict(request.facts).get("Host"))))


def _answers(item: Item, *, is_fine: bool) -> list[NeedAnswer]:
    """Recommend approving where nothing speaks against it. What asks outside may take other answers."""
    ids = {"board_id": item.board_id, "approval_id": item.id}
    is_outside, effects = item.request is not None, item.effects

    def decision(id: str, key: str | None, label: str, effect: str, body: JsonObject, **more: Any) -> NeedAnswer:
        in_house = {"undoable": True, "in_bulk": True} if not is_outside and id != "always" else {}
        return answer(id, key, label, effect, "decide_approval", ids, body, **{"note": WHY, **in_house, **more})

    if item.request is not None and item.request.client:
        yes, no = {"decision": "approved"}, {"decision": "rejected"}
        answers = [decision("approve", "A", "Allow once", effects["approve"], yes, recommended=is_fine)]
        if "always" in effects:
            label = "Allow exactly this from now on"
            answers.append(decision("always", "1", label, effects["always"], yes | {"always": True}))
        answers.append(decision("reject", "R", "Deny", effects["reject"], no, course="stop"))
        if "stop" in effects:
            answers.append(decision("stop", None, "Deny and stop", effects["stop"], no | {"stop": True}, course="stop"))
        return answers
    label, effect = item.counted.approving(effects["approve"])
    alone = {} if is_fine else {"in_bulk": False}  # what speaks against it is not approved among others
    approve = decision("approve", "A", label, effect, {"decision": "approved"}, recommended=is_fine, **alone)
    back, course = {"decision": "changes_requested"}, "stop" if is_outside else "go"
    send_back = decision("send_back", "R", "Request changes", effects["send_back"], back, note=NOTE, course=course)
    answers = item.counted.in_order(approve, send_back)
    if "always" in effects:
        always = {"decision": "approved", "always": True}
        answers.insert(1, decision("always", "1", "Always approve", effects["always"], always))
    rejections: list[tuple[str, str, str, dict[str, str]]] = [("reject", "Reject", effects["reject"], {})]
    if item.ends_work:
        over = f"The work of {item.asker} is over"
        rejections = [
            ("reject", "Reject, back to the inbox", f"{over}; the task is nobody's.", {"then": "inbox"}),
            ("reject_mine", "Reject, I take it over", f"{over}; the task is yours, in progress.", {"then": "mine"}),
            ("reject_trash", "Reject and delete the task", f"{over}; the task goes to the trash.", {"then": "trash"}),
        ]
    for name, label, effect, then in rejections:
        answers.append(decision(name, None, label, effect, {"decision": "rejected", **then}, course="stop"))
    return answers


async def with_counted(items: list[Item]) -> list[Item]:
    finished = {item.id: item.task_id for item in items if item.task_id and asks_to_finish(item.action_type)}
    counts = await counted_of(list(finished.values()))
    for item in items:
        if item.id in finished:
            item.counted = counts.get(finished[item.id], item.counted)
    return items


async def asked_items(actor: Actor, boards: Iterable[Board], approval_ids: list[UUID]) -> list[Item]:
    return await ASK.in_queue(actor, await items_of(actor, boards, approval_ids))


async def asked_item(actor: Actor, approval: Approval) -> Item | None:
    items = await asked_items(actor, [approval.board], [approval.id])
    return items[0] if items else None


class ApprovalNeeds(kinds.NeedKind[Item]):
    """Approvals that a person may decide."""

    kind, group, position, title = "approval", "answer", 10, "Approvals"
    brief = "asks for an approval"
    glyph = ("hand", "ask")
    table = "approvals"
    takes_back = True
    is_kept = True
    concerns = ("approval.", "task.code_reported", "board.")
    endings = {
        "approval.decided": "decided this",
        "approval.voted": "approved this",
        "approval.closed": "closed this",
        "approval.ended_on_gateway": "closed this, as its gateway did,",
        "approval.ended_at_program": "closed this, as it is answered at the keyboard,",
        "=approved": "approved this",
        "=rejected": "rejected this",
        "=changes_requested": "sent this back",
    }
    deadline = kinds.Deadline("status = 'pending'", Approval, apply_deadline, go_on)
    answers = kinds.Answers(
        at="resolved_at",
        by="resolved_by_user_id",
        where="resolved_by_kind = 'user' AND status <> 'pending'",
        decision="decision",
        outside="resolved_by_kind = 'program' AND resolved_by_name IS NOT NULL",
        name="resolved_by_name",
        words={"approved": "approved this", "changes_requested": "sent this back", "rejected": "rejected this"},
        otherwise="decided this",
    )

    def find(self, seeker: kinds.Seeker) -> Iterator[kinds.Rows]:
        """Find pending approvals, without those that wait for others; one changes with what it is about."""
        tasks = "FROM approval_task_links l JOIN tasks t ON t.id = l.task_id WHERE l.approval_id = a.id"
        others, values = (f" AND NOT {IS_DONE_FOR}", [seeker.user_id] * 2) if seeker.user_id is not None else ("", [])
        yield kinds.Rows(
            f"FROM approvals a JOIN mine ON mine.id = a.board_id WHERE a.status = 'pending'{others}",
            values,
            id="a.id",
            since="a.created_at",
            board_id="a.board_id",
            act_by="COALESCE(a.decide_by, a.expires_at)",
            version=f"CAST(a.updated_at AS TEXT) || COALESCE((SELECT CAST(MAX(t.updated_at) AS TEXT) {tasks}), '')",
        )

    def done_for(self) -> str:
        return DONE

    async def read(self, page: kinds.Page) -> Mapping[UUID, Item]:
        boards = await boards_with(page.board_ids)
        return {item.id: item for item in await with_counted(await items_of(page.actor, boards.values(), page.ids))}

    def say(self, page: kinds.Page, key: kinds.Key, item: Item) -> Need:
        party = NeedParty(id=item.agent_id or item.requested_by_user_id, name=item.asker)
        request = item.request
        is_fine = item.counted.is_fine and not (item.is_high_risk or (request is not None and request.warnings))
        attached = f"/needs/{key.name}#changes" if item.shown.diffs and request is None else None
        return need(
            page,
            key,
            title=title_of(item),
            reason=item.counted.reason(in_one_line(item.reason)),
            url=item.url,
            diff_url=item.counted.diff_url or attached,
            facts=_facts(item),
            answers=_answers(item, is_fine=is_fine),
            exact=request.exact if request is not None else in_full(item.payload),
            high_risk=item.is_high_risk,
            otherwise=item.without_decision,
            at=item.decide_by or item.expires_at,
            tasks=item.tasks,
            agent=None if item.is_of_person else party,
            person=party if item.is_of_person else None,
        )

    async def decides(self, subjects: Sequence[UUID]) -> Mapping[UUID, Parts]:
        return await parts_of_approvals(subjects)

    async def hold(self, approval_id: UUID) -> None:
        """Lock the tasks of an approval, then the approval."""
        approval = await Approval.get_or_none(id=approval_id).select_related("board")
        if approval is not None:
            await held_tasks(approval.board_id, await task_ids_of(approval))
            await locked_approval(approval)

    async def missing(self, approval_id: UUID) -> int:
        return await missing_for(approval_id)

    async def withdraw(self, actor: Actor, board_id: UUID, approval_id: UUID) -> bool:
        approval = await visible_approval(actor, board_id, approval_id)
        if approval.status != "pending" or not await has_voted(approval.id, actor.user_id):
            return False
        await reopen_approval(actor, approval)
        return True

    async def ended(self, approval_id: UUID, *, with_age: bool = True) -> str | None:
        """Events name nobody when the program that asked ended it."""
        notes = await rows("SELECT note FROM approvals WHERE id = ? AND resolved_by_kind = 'program'", approval_id)
        return next((str(row["note"]) for row in notes if row["note"]), None)

    async def undo(self, actor: Actor, board_id: UUID, approval_id: UUID, last: kinds.Last) -> None:
        await reopen_approval(actor, await visible_approval(actor, board_id, approval_id))

    async def details(self, actor: Actor, board: BoardLike, approval_id: UUID) -> kinds.Details:
        item = await item_of(actor, board, approval_id)
        if item is None:
            return kinds.Details()
        proofs = [kinds.Proof("external-link", link.name, link.what, link.url) for link in item.evidence]
        sure = [] if item.sure is None else [f"{item.sure} % sure, {item.sure_word.lower()}"]
        sure += [f"{score.name}: {score.value}, {score.verdict[0]}" for score in item.rubric]
        has_diffs = bool(item.shown.diffs) and item.request is None
        return kinds.Details(item.reason, proofs, sure, item.shown, in_full(item.payload), has_diffs)

    async def in_queue(self, actor: Actor, items: list[Item]) -> list[Item]:
        """Say what is asked by those that wait, also to somebody who only reads."""
        for item in await with_counted([item for item in items if item.is_pending]):
            key = kinds.Key(self.kind, item.id, item.created_at, item.board_id, "")
            boards = {item.board_id: item.board_name}
            item.need = self.say(kinds.Page(actor, [key], boards, times.clock_now()), key, item)
        return items

    async def queue_rows(self, actor: Actor, view: kinds.QueueView) -> list[kinds.QueueRow]:
        row = partial(queue_row, macro="approvals/rows.html#approval_row", next_url=view.url, selectable=True)
        items = await self.in_queue(actor, await queue(actor, view.boards, view.opened))
        return [row(item, item.is_pending, show_board=view.show_board) for item in items]

    async def in_words(self, actor: Actor, boards: kinds.Boards, ids: Sequence[UUID]) -> kinds.Words:
        items = await items_of(actor, boards.values(), list(ids))
        return {item.id: kinds.AnswerWords(title_of(item), item.url) for item in items}


ASK = ApprovalNeeds()
