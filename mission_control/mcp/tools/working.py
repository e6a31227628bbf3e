"""The tools of a worker: one to begin, one to end, and what is between."""

from asyncio import get_running_loop
from base64 import b64encode
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from mission_control.approvals.payloads import asks_to_finish
from mission_control.core import times
from mission_control.core.errors import Conflict, ErrorCode
from mission_control.core.values import JsonObject, Schema
from mission_control.database.sql import Row, as_id, rows
from mission_control.mcp import shapes
from mission_control.mcp.answers import Shape
from mission_control.mcp.operations import perform, person_asked
from mission_control.mcp.registry import REQUIRED, Arguments, Call, Said, Shown, Tools, own, takes
from mission_control.questions.schemas import MOST_OPTIONS
from mission_control.runs.queries import LeaseReleased

tools = Tools(position=0)

WAIT_SECONDS, LONGEST_WAIT_SECONDS, AT_ONCE = 50, 600, 50
WAIT = Annotated[int, Field(ge=0, le=LONGEST_WAIT_SECONDS)]
WAITS = "This task waits for what you asked. Call next with its task_id to go on without the answer."
NOT_HELD = "You do not hold this task: its run is over, or it was never yours. Call next."
TASK_SHAPE = Shape(
    "id number title description priority due_at parent_id custom_field_values", tags=shapes.each("name")
)


@tools.tool(
    "What to do next",
    takes(
        "agent_next",
        wait_seconds=Shown("How long to wait when there is nothing yet", default=WAIT_SECONDS),
        task_id="This task, or one that you hold: its brief and lease again",
        tags="Only tasks with any of these tags",
        lease_seconds="How long it is yours, from now",
        known="The directive that you follow already",
        after_start="True in the first call of a session: a task that you hold already comes first",
    ),
)
async def next_(call: Call) -> Said:
    """Get what to do next, with all that is known about it. Call it first, and whenever you are free: it waits.

    kind: work is yours alone until lease.expires_at; pass lease.fence to every call about it. resume: people answered
    (asks); go on with it. rework: it was sent back, why says with which note. directive: do what text says.
    note, notice: read news. nothing: call again. brief is how people here want work done, criteria must hold at the
    end, held is what else you hold. You need to read nothing else before you begin.
    """
    answer = dict(await call.perform())
    if answer["task"] is not None:
        answer["task"] = TASK_SHAPE(answer["task"])
    return answer["text"], answer


class Step(Arguments):
    text: Annotated[str, Field(min_length=1)]
    state: Literal["pending", "in_progress", "completed"] = "pending"


@tools.tool(
    "Report what you do",
    takes(
        "report",
        did=own(list[str], [], "What you did since, a plain line each, such as: Ran the tests, 3 failed"),
        doing=own(str | None, None, "What you begin now"),
        plan=Shown("All steps of your plan, each time", kind=list[Step] | None, default=None),
        steps_done=own(list[UUID], [], "Ids of steps and criteria of the brief that are done now"),
        task_id=own(UUID | None, None, "Left out, the only task that you hold"),
        fence=own(Annotated[int | None, Field(ge=1)], None, "The fence of your lease"),
    ),
)
async def report(call: Call) -> Said:
    """Tell people what you do, and keep your lease: it lasts at least 15 more minutes. Call it every few minutes.

    People see the last line on the card, and the plan with its ticks.
    directive: continue; pause: finish what you hold, take nothing new; stop: end your work now.
    """
    run = await _run_of(call)
    held = {} if run is None else {"task_id": run["task_id"], "fence": run["fence"]}
    items = [{"title": line} for line in call["did"]]
    if call["doing"]:
        items.append({"title": call["doing"], "kind": "STEP_STARTED"})
    answer = await call.perform(items=items, **held)
    for step_id in call["steps_done"] if run is not None else ():
        await perform("change_checklist_item", call.actor, **held, item_id=step_id, is_done=True)
    lease = None
    if run is not None and answer.directive != "stop":
        lease = await _kept(call, run)
    return _after(answer, lease), {**answer.model_dump(include={"directive", "directive_reason"}), "lease": lease}


def _after(answer: Any, lease: JsonObject | None) -> str:
    if answer.directive != "continue":
        return f"Directive: {answer.directive}. {answer.directive_reason}"
    if lease is None:
        return "Noted. It is about none of your tasks: name one by task_id, or call next when you hold none."
    until = (
        f"the task is yours until {lease['expires_at']:%H:%M:%S} UTC" if lease["expires_at"] else "the task is yours"
    )
    return f"Noted. Go on: {until}."


async def _kept(call: Call, run: Row) -> JsonObject:
    wanted = {name: run[name] for name in ("task_id", "fence", "lease_seconds")}
    extended = await perform("extend_lease", call.actor, **wanted)
    lease: JsonObject = extended["lease"]
    return lease


class Choice(Arguments):
    """An answer that people can choose."""

    label: Annotated[str, Field(min_length=1, max_length=200, description="The answer in a few words")]
    outcome: Annotated[str | None, Field(max_length=1_000, description="What happens when people choose it")] = None
    recommended: Annotated[bool, Field(description="Whether you would choose it; one at most")] = False


@tools.tool(
    "Ask people",
    takes(
        question=own(
            Annotated[str, Field(min_length=1)], text="What you ask, or why you want to do it, with all one must know"
        ),
        action=own(
            str | None, None, "What you want to do, such as deploy: people say yes or no. Left out, it is a question"
        ),
        options=own(Annotated[list[Choice], Field(max_length=MOST_OPTIONS)], [], "Answers to choose from"),
        task_id=own(UUID | None, None, "The task it is about; left out, the only one that you hold"),
        fence=own(Annotated[int | None, Field(ge=1)], None, "The fence of your lease"),
        decide_in=own(Annotated[int | None, Field(ge=60)], None, "In how many seconds you need it"),
        otherwise=own(
            str | None, None, "What happens then: remind; ask; option (the recommended one); send_back (action)"
        ),
        otherwise_person=own(
            Annotated[str | None, Field(max_length=200)],
            None,
            "With otherwise=ask: a person's name as you read it, or an id",
        ),
        payload=own(JsonObject | None, None, "More to look at, such as a diff or a draft; with action"),
        confidence=own(Annotated[float | None, Field(ge=0, le=100)], None, "How sure you are, in percent; with action"),
        wait_seconds=own(WAIT, WAIT_SECONDS, "How long to wait for the answer here; 0: leave at once"),
    ),
)
async def ask(call: Call) -> Said:
    """Ask people: a question that blocks you, or a yes before anything risky or external (action). It waits a while.

    With an answer in time, state says it: answered, approved, rejected, changes_requested (do as answer says and ask
    again), closed. Without one your task waits for it (parked): you hold no lease, are free, and call next, which
    returns the task first once people answered. Never act before the answer, never ask for secrets. finish asks by
    itself where the board wants a yes.
    """
    run = None if call.actor.is_lead else await _run_of(call)
    name, asked = await _asked(call, run)
    found = await _settled(call, name, asked["id"])
    is_parked = False
    if _is_open(found) and run is not None:
        task = {"task_id": run["task_id"], "fence": run["fence"]}
        is_parked = (await perform("park_task", call.actor, **task))["is_parked"]
        if not is_parked:  # the answer came at this moment
            found = await _settled(call, name, asked["id"])
    return _said(found, is_parked=is_parked), {**_outcome(found), "parked": is_parked}


def _is_of(run: Row, task_id: object) -> bool:
    return task_id is None or str(as_id(run["task_id"])) == str(task_id)


async def _run_of(call: Call) -> Row | None:
    """Return the run that a call names, or its agent's only one. Raise Conflict when the agent has none like that."""
    found = await rows(
        "SELECT task_id, fence, lease_seconds, parked_at FROM task_runs WHERE agent_id = ? AND ended_at IS NULL"
        " AND (lease_expires_at IS NULL OR lease_expires_at > ?) LIMIT 50",
        call.actor.id,
        times.clock_now(),
    )
    task_id, fence = call["task_id"], call["fence"]
    runs = [row for row in found if fence in (None, row["fence"]) and _is_of(row, task_id)]
    working = [row for row in runs if row["parked_at"] is None]
    if not working and (task_id, fence) != (None, None):
        raise Conflict(ErrorCode.NO_RUN.detail(WAITS if runs else NOT_HELD))
    return {**working[0], "task_id": as_id(working[0]["task_id"])} if len(working) == 1 else None


async def _asked(call: Call, run: Row | None) -> tuple[str, JsonObject]:
    """Ask, and return the operation that reads the answer, and what was asked."""
    named = {name: call[name] for name in ("decide_in", "otherwise") if call[name] is not None}
    named["otherwise_user_id"] = await person_asked(call.actor, call["otherwise_person"])
    if run is not None:
        named |= {"fence": run["fence"], "task_id": run["task_id"]}
    elif call["task_id"] is not None:
        named["task_id"] = call["task_id"]
    if call["action"] is None:
        options = [one.model_dump() for one in call["options"]]
        recommended = (str(n) for n, one in enumerate(call["options"], start=1) if one.recommended)
        if call["otherwise"] == "option":
            named["otherwise_option_id"] = next(recommended, "1")
        made = await perform("ask_question", call.actor, content=call["question"], options=options, **named)
        return "get_question", {"id": made["id"]}
    made = await perform(
        "create_approval",
        call.actor,
        action_type=call["action"],
        lead_reasoning=call["question"],
        confidence=call["confidence"],
        payload=call["payload"],
        **named,
    )
    return "get_approval", {"id": made["id"]}


async def _settled(call: Call, name: str, ask_id: object) -> JsonObject:
    now, key = get_running_loop().time, "question_id" if name == "get_question" else "approval_id"
    end = now() + call["wait_seconds"]
    while True:
        left = max(0, round(end - now()))
        found: JsonObject = await perform(name, call.actor, **{key: ask_id}, wait_seconds=min(AT_ONCE, left))
        if not _is_open(found) or now() >= end or not left:
            return found


def _is_open(found: JsonObject) -> bool:
    return found.get("state", found.get("status")) in ("open", "pending")


def _outcome(found: JsonObject) -> JsonObject:
    is_question = "content" in found
    by = found["answered_by" if is_question else "resolved_by"]
    state = found["state"] if is_question else found["decision"] or found["status"]
    return {
        "kind": "question" if is_question else "approval",
        "id": found["id"],
        "state": "open" if state == "pending" else state,
        "answer": found["answer"] if is_question else found["note"],
        "answered_by": by["name"] if by else None,
    }


THEN = {
    "rejected": "Do not do it; go on without, or give_back.",
    "changes_requested": "Do as it says, then ask again.",
    "closed": "Nobody will answer it; go on without, or give_back.",
}


def _said(found: JsonObject, *, is_parked: bool) -> str:
    shown = _outcome(found)
    if is_parked:
        return "Nobody has answered yet; the task waits for it, and you are free. Call next: it returns the task then."
    if shown["state"] == "open":
        return "Nobody has answered yet. The answer comes with next; go on with what does not need it."
    who, what = shown["answered_by"] or "Mission Control", shown["state"].replace("_", " ")
    answer = f": {shown['answer'].rstrip('.')}" if shown["answer"] else ""
    return f"{who}: {what}{answer}. {THEN.get(shown['state'], 'Go on with your task.')}"


@tools.tool(
    "Propose a task",
    takes(
        "propose",
        title=shapes.required("What is to be achieved, in one line"),
        reason=shapes.required("Why it should be done, in a sentence or two"),
        description="What the next one must know; Markdown",
        priority="",
        task_id="The task at which you found it; left out, the one that you hold",
    ),
    Shape("id title state"),
)
async def propose(call: Call) -> Said:
    """Propose work that you found beside your task: a fault, something left over. People or the lead decide about it.

    Go on with your own task; you are told what became of it. Not for what your task asks for, and not for questions
    (ask). Proposed again under the same title, it is answered as it is.
    """
    return "People or the lead decide about it, and you are told. Go on with what you do.", await call.perform()


class Link(Schema):
    """Something that shows what was done."""

    url: Annotated[str, Field(description="An http or https address")]
    title: str | None = None


class TextFile(Schema):
    """A small text file that your work made."""

    name: Annotated[str, Field(min_length=1, description="Such as report.md")]
    text: str


@tools.tool(
    "Finish a task",
    takes(
        "complete_task",
        task_id=shapes.TASK,
        fence=shapes.FENCE,
        summary="What you did and found; Markdown",
        checked="What you checked, against which criterion, and how",
        code="People see its diff by file and comment at its lines",
        status="Leave it out: the board knows whether work is reviewed before it is done",
        evidence=Shown("Pull requests, test runs, documents", kind=Annotated[list[Link], Field(max_length=50)]),
        files=own(Annotated[list[TextFile], Field(max_length=20)], [], "Kept with the task"),
    ),
    Shape("", task=shapes.TASK_LINE, run=shapes.ATTEMPT, approval=shapes.APPROVAL),
    role="worker",
    repeats=True,
)
async def finish(call: Call) -> Said:
    """Hand in your work: what you did, what you checked, evidence, small files. Your lease ends with it.

    Check every criterion of the brief first. The board decides what follows; when it is sent back, next returns it with
    the note. Called again with the same fence it answers the same. 409 lease_lost: somebody else has it; stop. Every
    other 409 names a rule that is not met: meet it, or give_back. A refusal changes nothing.
    """
    texts = [(file.name, b64encode(file.text.encode()).decode()) for file in call["files"]]
    files = [{"name": name, "content_base64": text, "content_type": "text/plain"} for name, text in texts]
    answer = await call.perform(artifacts=files)
    approval, waits = answer["approval"], ""
    if approval is not None and asks_to_finish(approval["action_type"]):
        waits = " It is done when a person approves it."
    elif approval is not None:
        waits = f" People have yet to decide about {approval['action_type']}."
    return f"{shapes.status_text(answer['task'])}.{waits} Call next.", answer


@tools.tool(
    "Give a task back",
    takes(
        "release_lease",
        task_id=shapes.TASK,
        fence=shapes.FENCE,
        reason=Shown(
            "What the next one should know",
            kind=Annotated[str, Field(min_length=1, max_length=2_000)],
            default=REQUIRED,
        ),
    ),
    role="worker",
)
async def give_back(call: Call) -> Said:
    """Give back a task that you cannot or must not finish: others get it at once, with your reason.

    Always better than letting the lease run out, which counts as a failed attempt. Say what you found out, and comment
    on what does not fit into a sentence. 409 lease_lost: you no longer hold it.
    """
    answer: LeaseReleased = await call.perform()
    asked = "; ".join(answer.closed)
    closed = f" Closed with it, as nobody had answered: {asked}" if asked else ""
    return f"It is back in the inbox.{closed} Call next.", answer
