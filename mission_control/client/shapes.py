"""Shapes of JSON that the program reads and writes, as far as it does: types alone, not imported when it runs."""
# ruff: noqa: UP013 (a line a shape)

from __future__ import annotations

from typing import TypedDict

Values = dict[str, object]

# -- answers of the server --------------------------------------------------------------------------------------------

Named = TypedDict("Named", {"name": str})
Task = TypedDict("Task", {
    "id": str, "board_id": str, "number": int, "title": str, "description": str | None, "status": str, "priority": str,
    "due_at": str | None, "not_before": str | None, "tags": list[Named], "custom_field_values": Values | None,
})  # fmt: skip
Step = TypedDict("Step", {"text": str, "is_done": bool})
# A comment of a brief; those of a list have an `author` with more than a name, or none.
Comment = TypedDict("Comment", {"author": str, "message": str | None, "created_at": str})
ListedComment = TypedDict("ListedComment", {"author": Named | None, "message": str | None, "created_at": str})
# A file: a brief calls it `name`, a list `filename`.
File = TypedDict("File", {"id": str, "name": str, "filename": str, "size": int})
# What people were asked about a task, in its brief.
Ask = TypedDict("Ask", {
    "kind": str, "id": str, "text": str, "state": str, "answer": str | None, "answered_by": str | None,
})  # fmt: skip
# A question or an approval; only questions have `content`.
Asked = TypedDict("Asked", {
    "id": str, "content": str, "state": str, "answer": str | None, "answered_by": Named | None, "status": str,
    "decision": str | None, "note": str | None, "resolved_by": Named | None, "chosen_option_id": str | None,
})  # fmt: skip
Run = TypedDict("Run", {
    "agent_name": str, "started_at": str, "state": str, "summary": str | None, "end_reason": str | None,
})  # fmt: skip
HeldTask = TypedDict("HeldTask", {
    "task_id": str, "number": int, "title": str, "fence": int, "state": str, "lease_expires_at": str | None,
})  # fmt: skip
Reason = TypedDict("Reason", {"text": str})
Why = TypedDict("Why", {"kind": str, "text": str | None})
Lease = TypedDict("Lease", {"fence": int})
# What an agent does next, with the brief of its task if it is one.
Next = TypedDict("Next", {
    "kind": str, "text": str, "directive": str, "task": Task | None, "lease": Lease, "held": list[HeldTask],
    "why": Why | None, "brief": str, "criteria": list[Step], "steps": list[Step], "comments": list[Comment],
    "comments_total": int, "files": list[File], "earlier": list[str], "asks": list[Ask],
})  # fmt: skip
Board = TypedDict("Board", {"id": str, "name": str, "slug": str})
AgentHealth = TypedDict("AgentHealth", {"agent_id": str, "board_id": str | None, "token_expires_at": str | None})
# What people say to a session, or to a call that it asked for.
HookAnswer = TypedDict("HookAnswer", {"note": str, "stop": str, "decision": str, "words": str}, total=False)

# -- what `work` stores and sends; `key` is an Idempotency-Key --------------------------------------------------------

Claim = TypedDict("Claim", {"key": str, "body": Values})
Request = TypedDict("Request", {"method": str, "path": str, "body": Values, "fence": int | None, "key": str})
# When a program may be prompted again: in seconds since 1970; `times` is how often it was refused in a row, `tried_by`
# the process that tries, `id` that of the hold on the board.
Hold = TypedDict("Hold", {
    "kind": str, "words": str, "since": float, "until": float, "times": int, "tried_by": int, "id": str,
})  # fmt: skip
HoldRow = TypedDict("HoldRow", {"id": str, "answer": str | None, "resumes_at": str | None, "ended_at": str | None})
# An entry of a report, whose key tells it apart; `gaps` counts requests that are not in it.
UsageEntry = TypedDict("UsageEntry", {
    "key": str, "source": str, "model": str, "input_tokens": int, "output_tokens": int, "cached_tokens": int,
    "written_tokens": int, "cost_usd": float, "gaps": int,
}, total=False)  # fmt: skip
# A message of JSON-RPC, from an agent.
Message = TypedDict("Message", {
    "id": int, "method": str, "params": object, "result": object, "error": object,
}, total=False)  # fmt: skip
