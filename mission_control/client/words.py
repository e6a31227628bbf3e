"""Answers of the server as a person and a model read them."""

from __future__ import annotations

from mission_control.client.printing import entry, line, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def moment(value: object) -> str:
    return f"{str(value)[:16].replace('T', ' ')} UTC" if value else "no time"


def task_head(task: dict[str, Any]) -> list[str]:
    facts = [str(task["status"]).replace("_", " "), f"priority {task['priority']}"]
    if task.get("due_at"):
        facts.append(f"due {moment(task['due_at'])}")
    if task.get("tags"):
        facts.append("tags " + ", ".join(one["name"] for one in task["tags"]))
    values = task.get("custom_field_values") or {}
    facts += [f"{name} {value}" for name, value in values.items() if value is not None]
    return [line(f"# Task #{task['number']}: {task['title']}"), "", line(" · ".join(facts))]


def section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []


def brief(answer: dict[str, Any]) -> str:
    task, comments = answer["task"], answer.get("comments") or []
    lines = [*task_head(task), "", answer["text"]]
    lines += section("What it is about", [task["description"]] if task.get("description") else [])
    lines += section("How people work here", [answer["brief"]] if answer.get("brief") else [])
    lines += section("What must hold when you hand it in", [_step(one) for one in answer.get("criteria") or ()])
    lines += section("Steps", [_step(one) for one in answer.get("steps") or ()])
    lines += section("Asked about it", [_ask(one) for one in answer.get("asks") or ()])
    older = (answer.get("comments_total") or 0) - len(comments)
    lines += section("Comments", [_comment(one["author"], one) for one in comments])
    lines += [f"{older} older: `show {task['number']}` has them."] if older > 0 else []
    lines += section("Files", [file_line(one) for one in answer.get("files") or ()])
    lines += section("Earlier attempts", [entry(f"- {one}") for one in answer.get("earlier") or ()])
    return plain("\n".join(lines + also_held(answer)))


def also_held(answer: dict[str, Any]) -> list[str]:
    return section("You also hold", [held_line(one) for one in answer.get("held") or ()])


def held_line(one: dict[str, Any]) -> str:
    says = {"working": "yours", "waiting": "waits for people", "ready": "people answered: go on with it"}
    until = f", until {moment(one['lease_expires_at'])}" if one.get("lease_expires_at") else ""
    return f"- #{one['number']} {line(one['title'])}: {says.get(one['state'], one['state'])}{until}"


def shown(task: dict[str, Any], reasons: list[Any], comments: list[Any], files: list[Any], runs: list[Any]) -> str:
    lines = task_head(task)
    lines += ["", task["description"]] if task.get("description") else []
    lines += section("It waits for", [entry(f"- {one['text']}") for one in reasons])
    lines += section(
        "Comments", [_comment((one.get("author") or {}).get("name") or "an agent", one) for one in comments]
    )
    lines += section("Files", [file_line(one) for one in files])
    lines += section("Attempts", [_run(one) for one in runs])
    return plain("\n".join(lines))


def _step(one: dict[str, Any]) -> str:
    return entry(f"- [{'x' if one['is_done'] else ' '}] {one['text']}")


def _ask(one: dict[str, Any]) -> str:
    by = f" ({one['answered_by']})" if one.get("answered_by") else ""
    answer = f": {one['answer']}" if one.get("answer") else ""
    return entry(f"- {one['text']} → {one['state']}{by}{answer}")


def _comment(author: str, one: dict[str, Any]) -> str:
    return entry(f"- {moment(one['created_at'])}, {line(author)}: {one.get('message') or ''}")


def file_line(one: dict[str, Any]) -> str:
    name = one.get("name") or one.get("filename") or "file"
    return f"- {line(name)} ({one['size']:,} bytes), id {one['id']}"


def _run(one: dict[str, Any]) -> str:
    said = one.get("summary") or one.get("end_reason") or ""
    return entry(f"- {line(one['agent_name'])}, {moment(one['started_at'])}, {one['state']}: {said}".rstrip(": "))


def asked(found: dict[str, Any]) -> tuple[str, str]:
    is_question = "content" in found
    by = found["answered_by" if is_question else "resolved_by"]
    state = found["state"] if is_question else found["decision"] or found["status"]
    answer = found["answer"] if is_question else found["note"]
    if state in ("open", "pending"):
        return "open", "Nobody has answered yet. `wait` returns the answer when it comes."
    who = by["name"] if by else "Mission Control"
    return state, plain(f"{who}: {state.replace('_', ' ')}{f': {answer}' if answer else ''}")
