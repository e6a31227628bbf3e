"""The commands of an agent's work: what is next, what was found, what people are asked, the hand-in."""

from __future__ import annotations

import os
import re
import sys

from mission_control.client import clock, files, words
from mission_control.client.fences import LEASE_SECONDS, Held
from mission_control.client.printing import as_json, entry, line, plain
from mission_control.client.problems import Nothing, Problem, Unreachable, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from mission_control.client.api import Api

WAIT_SECONDS, ASK_SECONDS, RECONNECT_SECONDS = 600, 50, 5.0
QUIET_SECONDS = 60.0  # a server that is there sends white space every 15
NEXT = "/api/v1/agent/next"
LONGEST_OUTPUT = 200_000
# Refusals of a claim that mean that there is no work at the moment.
HALTED = ("agent_paused", "board_paused", "organization_paused", "budget_exhausted", "claims_disabled", "worker_only")
GONE = ("lease_lost", "run_ended", "task_deleted")
STATES = {"x": "completed", ">": "in_progress", " ": "pending"}


class Session:
    """What a command works with: the server, what the agent holds, how answers are printed."""

    def __init__(self, api: Api, is_json: bool) -> None:
        self.api, self.held, self.is_json = api, Held(api), is_json

    def say(self, text: str, answer: object) -> None:
        """Print a text, or with --json the answer as it is."""
        print(as_json(answer) if self.is_json else text, flush=True)

    def on_task(self, method: str, task_id: str, rest: str, body: Any, fence: int | None = None) -> Any:
        path = f"/api/v1/agent/boards/{self.held.board()}/tasks/{task_id}{rest}"
        try:
            return self.api.call(method, path, body, fence=fence)
        except Problem as problem:
            if problem.code in GONE:
                self.held.drop(task_id)
            raise


def claim(session: Session, given: Namespace) -> None:
    wanted: dict[str, Any] = {"lease_seconds": given.lease, "kinds": ["directive", "work"]}
    if not given.another:
        wanted["after_start"] = True  # what is in hand comes first
    if given.tag:
        wanted["tags"] = given.tag
    if given.task:
        wanted["task_id"] = session.held.task(given.task)
    try:
        answer = _next(session, wanted, given.wait, lambda one: one["task"] is not None)
    except Problem as problem:
        if problem.code in HALTED and not given.task:
            raise Nothing(problem.text, problem.code) from problem
        raise
    session.say(words.brief(answer), answer)


def wait(session: Session, given: Namespace) -> None:
    if not session.is_json:
        session.api.news_to = sys.stdout  # they are the answer
    seconds = float("inf") if given.seconds is None else given.seconds
    answer = _next(session, {"lease_seconds": given.lease}, seconds, lambda one: one["kind"] != "nothing")
    is_news = answer["kind"] in ("note", "notice")
    text = words.brief(answer) if answer["task"] else "\n".join([answer["text"], *words.also_held(answer)])
    if session.is_json or not is_news:
        session.say(text, answer)


def _next(session: Session, wanted: dict[str, Any], seconds: float | None, is_it: Any) -> Any:
    """Return the first answer that is wanted. Raise Nothing when there is none, also after `seconds` of waiting."""
    end = None if seconds is None else clock.monotonic() + seconds
    longest = 1  # at first, so that a server that is not there is known at once
    is_away = False
    while True:
        left = 0 if end is None else int(max(0, min(longest, end - clock.monotonic())))
        body = {**wanted, "known": session.held.known, "wait_seconds": left, "keep_alive": left > 0}
        try:
            answer = session.api.call("POST", NEXT, body, seconds=min(left, QUIET_SECONDS))
        except Unreachable as problem:
            if longest == 1 or end is None or clock.monotonic() >= end:
                raise
            if not is_away:
                print(f"{problem.text} Trying again ...", file=sys.stderr, flush=True)
            is_away = True
            clock.sleep(RECONNECT_SECONDS)
            continue
        longest, is_away = WAIT_SECONDS, False
        session.held.take(answer, wanted.get("lease_seconds"))
        if is_it(answer):
            return answer
        is_directive = answer["kind"] == "directive"
        if is_directive and answer["directive"] == "stop":
            raise Nothing(plain(answer["text"]), "stop")
        is_over = end is None or clock.monotonic() >= end
        if is_directive and not is_over:
            print(entry(f"NEWS {answer['directive']}: {answer['text']}"), file=sys.stderr, flush=True)
        if is_over and not (is_directive and answer["directive"] == "continue"):
            raise Nothing(plain(answer["text"]))


def show(session: Session, given: Namespace) -> None:
    task_id = session.held.task(given.task)
    here = f"/api/v1/boards/{session.held.board()}/tasks/{task_id}"
    task = session.api.call("GET", here)
    parts = {
        name: session.api.call("GET", f"{here}/{path}")
        for name, path in (
            ("waiting", "waiting"),
            ("comments", "comments?limit=200"),
            ("files", "attachments?limit=200"),
            ("runs", "runs?limit=20"),
        )
    }
    reasons, items = parts["waiting"]["reasons"], [parts[name]["items"] for name in ("comments", "files", "runs")]
    names = ("waiting", "comments", "files", "runs")
    session.say(words.shown(task, reasons, *items), {**task, **dict(zip(names, (reasons, *items)))})


def comment(session: Session, given: Namespace) -> None:
    message = text_of(given, "What do you want to say?")
    task_id = session.held.task(given.task)
    answer = session.on_task("POST", task_id, "/comments", {"message": message}, session.held.fence(task_id))
    session.say("Commented.", answer)


def ask(session: Session, given: Namespace) -> None:
    if given.approve and (given.option or given.recommend):
        raise Usage("An approval is answered with yes or no; leave --option and --recommend out.")
    if given.park and given.wait is not None:
        raise Usage("Either --park, which frees you, or --wait.")
    text = text_of(given, "What do you ask?")
    body: dict[str, Any] = {"park": True} if given.park else {}
    if given.within is not None:
        body["decide_in"] = given.within
    fence, task_id = None, _task_if_any(session, given.task)
    if task_id is not None:
        body["task_id"], fence = task_id, session.held.fence(task_id)
    kind = "approvals" if given.approve else "questions"
    body.update(_approval(given, text) if given.approve else _question(given, text))
    board = session.held.board()
    found = session.api.call("POST", f"/api/v1/agent/boards/{board}/{kind}", body, fence=fence)
    if given.park and task_id is not None:
        session.held.park(task_id)
    end = None if given.wait is None else clock.monotonic() + given.wait
    state, said = words.state_of(found)
    while end is not None and state == "open" and clock.monotonic() < end:
        left = max(1, int(min(ASK_SECONDS, end - clock.monotonic())))
        path = f"/api/v1/boards/{board}/{kind}/{found['id']}?wait_seconds={left}"
        found = session.api.call("GET", path, seconds=left)
        state, said = words.state_of(found)
    if state == "open" and end is None:
        said = "Asked. The task waits for the answer, and you are free: `wait`." if given.park else f"Asked. {said}"
    session.say(said, found)
    if state == "open" and end is not None:
        raise Nothing("", "no_answer_yet")
    if state in ("rejected", "changes_requested", "closed"):
        raise Problem("", state)


def _task_if_any(session: Session, named: str | None) -> str | None:
    """Return the id of the task that is named, else of the only one that the agent works on, else None."""
    if named or os.environ.get("TASK"):
        return session.held.task(named)
    working = session.held.working
    return working[0] if len(working) == 1 else None


def _approval(given: Namespace, text: str) -> dict[str, Any]:
    body = {"action_type": given.approve, "lead_reasoning": text}
    if given.confidence is not None:
        body["confidence"] = given.confidence
    if given.otherwise:
        body["otherwise"] = given.otherwise
    return body


def _question(given: Namespace, text: str) -> dict[str, Any]:
    options = []
    for number, option in enumerate(given.option, 1):
        label, _, outcome = option.partition(": ")
        one: dict[str, Any] = {"label": label.strip(), "recommended": number == given.recommend}
        options.append({**one, "outcome": outcome.strip()} if outcome.strip() else one)
    if given.recommend is not None and not 1 <= given.recommend <= len(options):
        raise Usage("--recommend names an option by its number, from 1.")
    body: dict[str, Any] = {"content": text, "options": options}
    if given.otherwise and given.otherwise.isdigit():
        body.update(otherwise="option", otherwise_option_id=given.otherwise)
    elif given.otherwise:
        body["otherwise"] = given.otherwise
    return body


def finish(session: Session, given: Namespace) -> None:
    summary = text_of(given, "What did you do and find? Write a summary.")
    task_id = session.held.task(given.task)
    body: dict[str, Any] = {"summary": summary, "fence": session.held.held_fence(task_id), **_usage(given)}
    if given.checked:
        body["checked"] = given.checked
    if given.confidence is not None:
        body["confidence"] = given.confidence
    if given.evidence:
        body["evidence"] = [_evidence(one) for one in given.evidence]
    if given.attach:
        body["artifacts"] = [_attached(path) for path in given.attach]
    if code := _code(given):
        body["code"] = code
    answer = session.on_task("POST", task_id, "/completions", body, body["fence"])
    session.held.drop(task_id)
    task, asks = answer["task"], " People are asked to approve it." if answer["approval"] else ""
    where = {"review": "in review", "inbox": "in the inbox"}.get(task["status"], task["status"])
    session.say(f"Handed in #{task['number']}: it is {where} now.{asks}", answer)


def _evidence(text: str) -> dict[str, str]:
    match = re.fullmatch(r"(?:(?P<title>[^=]*?)=)?(?P<url>https?://\S+)", text.strip())
    if match is None:
        raise Usage(f"{text!r} is no link. Write --evidence https://..., or --evidence 'Tests=https://...'.")
    title = (match["title"] or "").strip()
    return {"title": title, "url": match["url"]} if title else {"url": match["url"]}


def _code(given: Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if given.code is not None:
        from mission_control.client import git

        repository = git.Repository()
        check, output = git.checked(given.check, repository) if given.check else (None, "")
        found = git.code_since(given.code, repository)
        if check:
            found.update(check=check, tests=_output(output))
    elif given.check:
        raise Usage("--check belongs to the commits that --code names.")
    if given.pull_request:
        found["pull_request"] = given.pull_request
    if given.tests:
        printed = sys.stdin.buffer.read() if given.tests == "-" else read(given.tests)
        found["tests"] = _output(printed.decode("utf-8", "replace"))
    return found


def _output(text: str) -> str:
    return text.replace("\0", "")[-LONGEST_OUTPUT:]


def _attached(path: str) -> dict[str, str]:
    import base64

    return {"name": os.path.basename(path), "content_base64": base64.b64encode(read(path)).decode()}


def give_back(session: Session, given: Namespace) -> None:
    reason = text_of(given, "Why? Say what the next one should know.")
    task_id = session.held.task(given.task)
    fence = session.held.held_fence(task_id)
    answer = session.on_task("DELETE", task_id, "/lease", {"fence": fence, "reason": reason}, fence)
    session.held.drop(task_id)
    closed = "".join(f" Closed with it, as nobody had answered: {one}" for one in answer.get("closed", ()))
    session.say(f"Given back.{closed}", answer)


def propose(session: Session, given: Namespace) -> None:
    body: dict[str, Any] = {"title": given.title, "reason": given.reason}
    if given.description:
        body["description"] = given.description
    if given.priority:
        body["priority"] = given.priority
    if task_id := _task_if_any(session, given.task):
        body["task_id"] = task_id
    answer = session.api.call("POST", f"/api/v1/agent/boards/{session.held.board()}/proposals", body)
    state = "People or the lead decide about it." if answer["state"] == "open" else f"It is {answer['state']}."
    session.say(line(f"Proposed: {answer['title']}. {state}"), answer)


def note(session: Session, given: Namespace) -> None:
    body = {"content": text_of(given, "What should be remembered?"), "tags": given.tag or ["note"]}
    answer = session.api.call("POST", f"/api/v1/agent/boards/{session.held.board()}/memory", body)
    session.say("Said in the chat." if "chat" in body["tags"] else "Noted in the board's memory.", answer)


def report(session: Session, given: Namespace) -> None:
    end: dict[str, Any] = {"state": "failed"} if given.failed else {}
    items: list[dict[str, Any]] = [{"title": one, **end} for one in given.did]
    if given.doing:
        items.append({"title": given.doing, "kind": "STEP_STARTED"})
    body: dict[str, Any] = {"items": items}
    if given.plan:
        body["plan"] = [_planned(one) for one in given.plan]
    if usage := _usage(given):
        body["usage"] = [usage]
    if not items and not given.plan and not usage:
        raise Usage("What did you do? Say it in a line, or with --doing what you begin.")
    fence, task_id = None, _task_if_any(session, given.task)
    if task_id is not None and (fence := session.held.fence(task_id)) is not None:
        body.update(task_id=task_id, fence=fence)
    answer = session.api.call("POST", "/api/v1/agent/reports", body, fence=fence)
    if task_id is not None and fence is not None and answer["directive"] != "stop":
        seconds = session.held.tasks.get(task_id, {}).get("lease_seconds") or LEASE_SECONDS
        session.on_task("POST", task_id, "/lease", {"fence": fence, "lease_seconds": seconds}, fence)
    why = f": {answer['directive_reason']}" if answer.get("directive_reason") else ""
    session.say(entry(f"Reported. Directive: {answer['directive']}{why}"), answer)


def _planned(text: str) -> dict[str, str]:
    """Return a step of a plan: `[x] text` is done, `[>] text` is at work."""
    match = re.match(r"\[([x> ])\]\s*(?=\S)", text)
    return {"text": text[match.end() :], "state": STATES[match[1]]} if match else {"text": text, "state": "pending"}


def _usage(given: Namespace) -> dict[str, Any]:
    names = ("input_tokens", "output_tokens", "cost_usd", "model")
    return {name: getattr(given, name) for name in names if getattr(given, name) is not None}


def status(session: Session, given: Namespace) -> None:
    who = session.api.call("POST", "/api/v1/agent/heartbeat")
    token = session.api.call("GET", "/api/v1/agent/healthz")
    board = session.api.call("GET", f"/api/v1/agent/boards/{who['board_id']}") if who["board_id"] else None
    hold, held = token.get("hold"), session.held.look()["held"]
    from mission_control.client.changes import connected as programs_here

    connected = programs_here()
    until = moment_or_never(token["token_expires_at"])
    role = "leads" if who["is_board_lead"] else "works on"
    where = f"{role} the board “{line(board['name'])}”" if board else "belongs to no board"
    why = f": {who['directive_reason']}" if who["directive_reason"] else ""
    lines = [
        f"{line(who['name'])} {where} at {session.api.connection.url}",
        f"Token from {session.api.connection.source}, {until}",
        entry(f"Directive: {who['directive']}{why}"),
        *([f"A worker waits until {words.moment(hold['until'])}: {line(hold['words'])}"] if hold else []),
        *([words.held_line(one) for one in held] or ["Holds no task."]),
        *(f"Connected on this machine: {one['client']} {one['version']} at {one['url']}" for one in connected),
    ]
    answer = {
        "agent": {"id": who["id"], "name": who["name"]}, "board": board and {"id": board["id"], "name": board["name"]},
        "url": session.api.connection.url, "directive": who["directive"], "directive_reason": who["directive_reason"],
        "token_expires_at": token["token_expires_at"], "hold": hold, "held": held, "connected": connected,
    }  # fmt: skip
    session.say("\n".join(lines), answer)


def moment_or_never(value: object) -> str:
    return f"until {words.moment(value)}" if value else "without an end"


def text_of(given: Namespace, missing: str) -> str:
    if given.file and given.text:
        raise Usage("Either the text or --file, not both.")
    if given.file:
        content = read(given.file)
    elif given.text == "-":
        content = files.typed()
    else:
        content = (given.text or "").encode("utf-8", "surrogateescape")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise Usage("The text is not UTF-8.") from error
    if not text.strip():
        raise Usage(missing)
    return text


def read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Usage(f"{path} cannot be read: {error.strerror}.") from error
