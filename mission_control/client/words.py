"""Answers of the server as a person and a model read them."""

from __future__ import annotations

from mission_control.client.printing import entry, line, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mission_control.client import shapes


def moment(value: object) -> str:
    return f"{str(value)[:16].replace('T', ' ')} UTC" if value else "no time"


def task_head(task: shapes.Task) -> list[str]:
    facts = [str(task["status"]).replace("_", " "), f"priority {task['priority']}"]
    if task.get("due_at"):
        facts.append(f"due {moment(task['due_at'])}")
    if task.get("not_before"):
        facts.append(f"not before {moment(task['not_before'])}")
    if task.get("tags"):
        facts.append("tags " + ", ".join(tag["name"] for tag in task["tags"]))
    values = task.get("custom_field_values") or {}
    facts += [f"{name} {value}" for name, value in values.items() if value is not None]
    return [line(f"# Task #{task['number']}: {task['title']}"), "", line(" · ".join(facts))]


def section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []


def brief(answer: shapes.Next) -> str:
    task, comments = answer["task"], answer.get("comments") or []
    assert task is not None
    lines = [*task_head(task), "", answer["text"]]
    lines += section("What it is about", [task["description"] or ""] if task.get("description") else [])
    lines += section("How people work here", [answer["brief"]] if answer.get("brief") else [])
    lines += section("What must hold when you hand it in", [_step(step) for step in answer.get("criteria") or ()])
    lines += section("Steps", [_step(step) for step in answer.get("steps") or ()])
    lines += section("Asked about it", [_ask(ask) for ask in answer.get("asks") or ()])
    older = (answer.get("comments_total") or 0) - len(comments)
    lines += section("Comments", [_comment(comment["author"], comment) for comment in comments])
    lines += [f"{older} older: `show {task['number']}` has them."] if older > 0 else []
    lines += section("Files", [file_line(file) for file in answer.get("files") or ()])
    lines += section("Earlier attempts", [entry(f"- {run}") for run in answer.get("earlier") or ()])
    return plain("\n".join(lines + also_held(answer)))


def also_held(answer: shapes.Next) -> list[str]:
    return section("You also hold", [held_line(task) for task in answer.get("held") or ()])


def held_line(task: shapes.HeldTask) -> str:
    says = {"working": "yours", "waiting": "waits for people", "ready": "people answered: go on with it"}
    until = f", until {moment(task['lease_expires_at'])}" if task.get("lease_expires_at") else ""
    return f"- #{task['number']} {line(task['title'])}: {says.get(task['state'], task['state'])}{until}"


def shown(
    task: shapes.Task,
    reasons: list[shapes.Reason],
    comments: list[shapes.ListedComment],
    files: list[shapes.File],
    runs: list[shapes.Run],
) -> str:
    lines = task_head(task)
    lines += ["", task["description"] or ""] if task.get("description") else []
    lines += section("It waits for", [entry(f"- {reason['text']}") for reason in reasons])
    authors = ((comment.get("author") or {"name": ""})["name"] or "an agent" for comment in comments)
    lines += section("Comments", [_comment(author, comment) for author, comment in zip(authors, comments)])
    lines += section("Files", [file_line(file) for file in files])
    lines += section("Attempts", [_run(run) for run in runs])
    return plain("\n".join(lines))


def _step(step: shapes.Step) -> str:
    return entry(f"- [{'x' if step['is_done'] else ' '}] {step['text']}")


def _ask(ask: shapes.Ask) -> str:
    by = f" ({ask['answered_by']})" if ask.get("answered_by") else ""
    answer = f": {ask['answer']}" if ask.get("answer") else ""
    return entry(f"- {ask['text']} → {ask['state']}{by}{answer}")


def _comment(author: str, comment: shapes.Comment | shapes.ListedComment) -> str:
    return entry(f"- {moment(comment['created_at'])}, {line(author)}: {comment.get('message') or ''}")


def file_line(file: shapes.File) -> str:
    name = file.get("name") or file.get("filename") or "file"
    return f"- {line(name)} ({file['size']:,} bytes), id {file['id']}"


def _run(run: shapes.Run) -> str:
    end = run.get("summary") or run.get("end_reason") or ""
    return entry(f"- {line(run['agent_name'])}, {moment(run['started_at'])}, {run['state']}: {end}".rstrip(": "))


def state_of(ask: shapes.Asked) -> tuple[str, str]:
    """Return the state of a question or an approval, and what there is to say about it."""
    is_question = "content" in ask
    by = ask["answered_by"] if is_question else ask["resolved_by"]
    state = ask["state"] if is_question else ask["decision"] or ask["status"]
    answer = ask["answer"] if is_question else ask["note"]
    if state in ("open", "pending"):
        return "open", "Nobody has answered yet. `wait` returns the answer when it comes."
    who = by["name"] if by else "Mission Control"
    return state, plain(f"{who}: {state.replace('_', ' ')}{f': {answer}' if answer else ''}")
