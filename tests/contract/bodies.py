"""What is sent to each operation that takes a body, and who sends it."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from mission_control.http.registry import Operation
from tests.cast import Caller, Cast
from tests.things import MAKERS, NO_GATEWAY, OUTGOING, PACK, Things, a_group
from tests.visitor import PASSWORD, give_password

BOARD = {"name": "Mirror", "slug": "mirror", "description": "Polish."}
GOAL = {"objective": "See.", "success_metrics": {"nights": [1, {"a": None}]}, "target_date": "2027-01-01T00:00:00.5Z"}
ASK = {"action_type": "publish", "confidence": 80, "payload": {"reason": "r"}, "rubric_scores": {"clarity": 3}}
SAID = {"message": "Hello."}
ASKING = {"question": "What for?", "options": [{"id": "1", "label": "Stars"}]}
AGENT = {
    "name": "Lyra", "identity_profile": {"role": "x"}, "soul_template": "Calm.", "heartbeat_config": {"every": "1m"},
}  # fmt: skip

Body = Callable[[Cast, Things], Any]
NOTE = {"content": "Clear sky.", "tags": ["chat"], "source": "Cleo"}

# Who calls when it is not Ada or the lead: she cannot go while she is the only owner, nor accept her own
# invitation; a lead comments only on some tasks.
CALLERS = {
    "accept_org_invite": "eve", "leave_my_org": "ben", "delete_me": "dan", "agent_create_task_comment": "vega",
    "complete_task": "vega", "claim_task": "vega", "agent_next": "vega", "propose": "vega", "extend_lease": "vega",
    "park_task": "vega", "release_lease": "vega",
}  # fmt: skip


async def one_field(cast: Cast, made: Things) -> Any:
    """The order of a field that is there."""
    return {"field_ids": [await MAKERS["task_custom_field_definition_id"](cast, made, "")]}


async def some_work(cast: Cast, made: Things) -> Any:
    """A claim of something that is there."""
    await cast.add_task()
    return {"lease_seconds": 60}


async def work_alone(cast: Cast, made: Things) -> Any:
    """What is next, when it is neither a notice nor a directive."""
    return {**await some_work(cast, made), "kinds": ["work"]}


async def a_lease(cast: Cast, made: Things) -> Any:
    claimed = await cast.vega.post(f"/agent{cast.home}/claims", {"task_id": made["task_id"]})
    return {"fence": claimed.ok()["lease"]["fence"]}


async def a_note(cast: Cast, made: Things) -> Any:
    await a_lease(cast, made)
    return {"text": "The seeing is poor."}


async def one_task(cast: Cast, made: Things) -> Any:
    """The task that the session works on already, else one of the inbox."""
    session = (await cast.ada.get(f"{cast.home}/sessions/{made['session_id']}")).ok()
    return {"task_id": session["task_id"] or (await cast.add_task())["id"]}


async def a_stop(cast: Cast, made: Things) -> Any:
    await a_lease(cast, made)
    return {"reason": "The dome is closed."}


async def board_file(cast: Cast, made: Things) -> Any:
    """The file of the board on which everything is, under another name."""
    file = (await cast.ada.get(f"{cast.home}/export")).ok()
    file["board"] |= {"name": "Copy", "slug": "copy"}
    return file


async def in_a_group(cast: Cast, made: Things) -> Any:
    """A note for the group, which the board joins first."""
    await a_group(cast, made, "")
    return NOTE


async def bens_membership(cast: Cast, made: Things) -> Any:
    return {"member_id": (await cast.ben.get("/organizations/me/member")).ok()["id"]}


async def invitation(cast: Cast, made: Things) -> Any:
    invited = {"invited_email": "eve@example.org"}
    return {"token": (await cast.ada.post("/organizations/me/invites", invited)).ok()["token"]}


async def a_review(cast: Cast, made: Things) -> Any:
    """The review of a task that is in review."""
    await cast.put({"id": made["task_id"]}, status="review")
    return {"decision": "approved"}


async def changes_of_tasks(cast: Cast, made: Things) -> Any:
    """A change that one task takes and one does not."""
    changes = [
        {"task_id": (await cast.add_task())["id"], "priority": "high"},
        {"task_id": str(uuid4()), "due_at": None},
    ]
    return {"changes": changes, "atomic": False}


async def handed_in(cast: Cast, made: Things) -> Any:
    """The work of Vega, who took the task."""
    (await cast.vega.patch(cast.task(made["task_id"]), {"status": "in_progress"})).ok()
    file = {"name": "log.txt", "content_base64": "Y2xlYXI="}
    evidence = [{"title": "Photo", "url": "https://example.org/1"}, {"url": "http://example.org"}]
    used = {"input_tokens": 12, "output_tokens": 3, "cost_usd": "0.000125", "model": "m"}
    return {"fence": 1, "summary": "Clear sky.", "evidence": evidence, "artifacts": [file], **used}


async def some_proposals(cast: Cast, made: Things) -> Any:
    return {"proposal_ids": [await MAKERS["proposal_id"](cast, made, "")], "decision": "drop"}


async def a_duplicate(cast: Cast, made: Things) -> Any:
    """Another task, of which this is a duplicate."""
    return {"kind": "duplicate_of", "task_id": (await cast.add_task())["id"]}


async def steps(cast: Cast, made: Things) -> Any:
    path = f"{cast.task(made['task_id'])}/checklist"
    items = [(await cast.ada.post(path, {"text": f"Step {n}"})).ok()["id"] for n in range(2)]
    return {"item_ids": items[::-1]}


async def used_up(cast: Cast, made: Things) -> Any:
    """A report of Vega's about the lead's task, on which two budgets stand."""
    for budget in ({"unit": "tokens", "limit": 1000}, {"board_id": str(cast.board.id), "unit": "cost", "limit": 0.5}):
        (await cast.ada.post("/budgets", budget)).ok()
    return {"input_tokens": 900, "cost_usd": "0.25", "model": "m", "task_id": (await cast.add_task())["id"]}


async def some_steps(cast: Cast, made: Things) -> Any:
    step = {"key": "1", "kind": "TOOL_CALL_END", "state": "failed", "ref": "a", "detail": {"tool": "bash", "code": 1}}
    about = {"external_id": "one", "client": "codex", "branch": "main", "title": "Fix"}
    usage = {"key": "r", "input_tokens": 9, "cached_tokens": 2, "cost_usd": "0.01", "model": "m"}
    windows = [{"name": "5 hours", "used_percent": 61, "resets_at": "2099-01-01T00:00:00Z"}]
    did = {"items": [step], "plan": [{"text": "Look"}], "usage": [usage], "windows": windows}
    return {"session": about, **did, "state": "idle"}


async def another_tag(cast: Cast, made: Things) -> Any:
    return {"into": (await cast.ada.post("/tags", {"name": "Other"})).ok()["id"]}


async def another_task(cast: Cast, made: Things) -> Any:
    return {"task_id": (await cast.add_task())["id"]}


async def a_password(cast: Cast, made: Things) -> Any:
    await give_password(cast.ada)
    return {"current": PASSWORD, "password": "correct horse battery staple"}


async def one_device(cast: Cast, made: Things) -> Any:
    """The order of the only device."""
    return {"ids": [str(await MAKERS["device_id"](cast, made, ""))]}


async def a_channel(cast: Cast, made: Things) -> Any:
    return {"channel_id": str(await MAKERS["channel_id"](cast, made, ""))}


# What is sent to each operation that takes a body, by its name. On the path of agents alone: `agent_` and the name.
BODIES: dict[str, Body] = {
    "report_usage": used_up,
    "report": some_steps,
    "send_gateway_session_message": lambda cast, made: {
        "content": "Look up.", "idempotency_key": "one",
    },
    "abort_gateway_session": lambda cast, made: {"run_id": "one"},
    "create_budget": lambda cast, made: {
        "agent_id": str(cast.vega.id), "unit": "cost", "period": "total", "limit": "2.5",
    },
    "update_budget": lambda cast, made: {"limit": 7},
    "create_price": lambda cast, made: {
        "model": "local-qwen", "since": "2026-11-01", "input_usd": "0.1", "output_usd": 1, "cached_usd": "0.01",
        "written_usd": None,
    },
    "set_agent_work_state": lambda cast, made: {"state": "paused"},
    "set_board_work_state": lambda cast, made: {
        "state": "stopped", "reason": "Storm.",
    },
    "set_my_org_work_state": lambda cast, made: {"state": "paused"},
    "update_me": lambda cast, made: {"preferred_name": "A.", "notes": "x"},
    "change_my_password": a_password,
    "add_my_browser": lambda cast, made: {
        "kind": "push", "endpoint": "https://fcm.googleapis.com/fcm/send/laptop", "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    },
    "create_my_token": lambda cast, made: {"name": "Laptop", "expires_at": "2099-01-01T00:00:00Z"},
    "create_board": lambda cast, made: BOARD | GOAL,
    "update_board": lambda cast, made: GOAL,
    "create_approval": lambda cast, made: ASK,
    "update_approval": lambda cast, made: {
        "decision": "changes_requested", "note": "Shorter.",
    },
    "decide_approval": lambda cast, made: {"decision": "approved"},
    "create_agent": lambda cast, made: AGENT | {"board_id": str(cast.board.id)},
    "update_agent": lambda cast, made: AGENT,
    "heartbeat_agent": lambda cast, made: {"status": "busy"},
    "heartbeat_or_create_agent": lambda cast, made: {"name": "Vega", "status": "busy"},
    "remove_gateway": lambda cast, made: {"remove_agents": False, "force": True},
    "create_templates_sync": lambda cast, made: {"rotate_tokens": True},
    "create_agent_provisioning": lambda cast, made: {"reset_session": True},
    "adopt_gateway_agent": lambda cast, made: {
        "gateway_agent_id": "researcher", "board_id": str(cast.board.id), "name": "Researcher",
    },
    "create_agent_token": lambda cast, made: {
        "scopes": ["read", "work"], "expires_at": "2099-01-01T00:00:00Z",
    },
    "update_agent_token": lambda cast, made: {
        "scopes": ["read"], "expires_at": "2099-01-01T00:00:00Z", "requests_per_minute": 60, "name": "Laptop",
    },
    "renew_own_token": lambda cast, made: {"overlap_seconds": 60},
    "agent_lead_create_agent": lambda cast, made: AGENT,
    "start_onboarding": lambda cast, made: {},
    "answer_onboarding": lambda cast, made: {"answer": "Stars."},
    "confirm_onboarding": lambda cast, made: GOAL | {
        "board_type": "goal",
    },
    "update_onboarding": lambda cast, made: ASKING,
    "agent_lead_ask_user_via_gateway_main": lambda cast, made: {"content": "Which lens?", "correlation_id": "7"},
    "ask_question": lambda cast, made: {"content": "Which lens?", "options": [{"label": "The wide one"}]},
    "report_hold": lambda cast, made: {
        "program": "claude-code", "host_label": "laptop", "account": "5f0c", "kind": "window", "words": "Limit reached",
        "until": "2099-01-01T00:00:00Z",
    },
    "answer_hold": lambda cast, made: {"answer": "stop", "resumes_at": "2099-01-01T00:00:00Z"},
    "answer_question": lambda cast, made: {
        "answer": "The wide one.",
    },
    "agent_lead_nudge_agent": lambda cast, made: {"message": "Are you there?"},
    "update_agent_soul": lambda cast, made: {"content": "Patient.", "reason": "It hurried."},
    "agent_lead_update_agent_soul": lambda cast, made: {"content": "Patient.", "reason": "It hurried."},
    "agent_main_message_board_lead": lambda cast, made: {"content": "How is it going?"},
    "agent_main_broadcast_lead_message": lambda cast, made: {"content": "How is it going?"},
    "set_agent_callback": lambda cast, made: {"url": "https://example.org/hook"},
    "create_task": lambda cast, made: {
        "title": "x", "due_at": "2027-01-01T00:00:00Z",
    },
    "update_task": lambda cast, made: {
        "title": "New", "due_at": "2027-01-01T00:00:00.000001Z",
    },
    "create_task_comment": lambda cast, made: SAID,
    "agent_create_task": lambda cast, made: {"title": "x", "assigned_agent_id": str(cast.vega.id)},
    "agent_update_task": lambda cast, made: {"depends_on_task_ids": []},
    "complete_task": handed_in,
    "claim_task": some_work,
    "agent_next": work_alone,
    "send_note": a_note,
    "send_session_note": lambda cast, made: {"text": "The seeing is poor."},
    "stop_task": a_stop,
    "stop_session": lambda cast, made: {"reason": "The dome is closed."},
    "attach_session": one_task,
    "extend_lease": a_lease,
    "park_task": a_lease,
    "release_lease": a_lease,
    "create_org_custom_field": lambda cast, made: {
        "field_key": "lens", "field_type": "integer", "default_value": 3, "board_ids": [str(cast.board.id)],
    },
    "update_org_custom_field": lambda cast, made: {
        "label": "Lens", "default_value": "x", "validation_regex": "x+",
    },
    "order_org_custom_fields": one_field,
    "try_org_custom_field_pattern": lambda cast, made: {"pattern": "x+", "example": "xx"},
    "create_board_import": board_file,
    "create_board_group": lambda cast, made: {"name": "Sky", "slug": "", "description": "d"},
    "update_board_group": lambda cast, made: {"description": "d"},
    "apply_board_group_heartbeat": lambda cast, made: {"every": "5m"},
    "create_board_memory": lambda cast, made: NOTE,
    "update_board_memory": lambda cast, made: {"content": "New."},
    "create_board_group_memory": lambda cast, made: NOTE,
    "create_board_group_memory_for_board": in_a_group,
    "update_board_group_memory": lambda cast, made: {"content": "New."},
    "create_organization": lambda cast, made: {"name": "House"},
    "set_active_org": lambda cast, made: {
        "organization_id": str(cast.organization.id),
    },
    "update_my_org": lambda cast, made: {"name": "House"},
    "transfer_my_org": bens_membership,
    "create_org_invite": lambda cast, made: {
        "invited_email": "fay@example.org", "board_access": [{"board_id": str(cast.board.id)}],
    },
    "accept_org_invite": invitation,
    "update_org_member": lambda cast, made: {"role": "admin"},
    "set_member_reach": lambda cast, made: {"reach": "chosen"},
    "set_member_board": lambda cast, made: {"access": "read"},
    "update_member_access": lambda cast, made: {
        "board_access": [{"board_id": str(cast.board.id), "can_write": True}],
    },
    "create_marketplace_skill": lambda cast, made: {
        "source_url": f"{PACK}/tree/main/x",
    },
    "create_skill_pack": lambda cast, made: {"source_url": PACK, "metadata": {"a": [1]}},
    "update_skill_pack": lambda cast, made: {"source_url": PACK, "name": "New"},
    "create_tag": lambda cast, made: {"name": "Red", "color": "#ff0000"},
    "report_own_connection": lambda cast, made: {"client_version": "2.1", "checks": [{"name": "Cost", "text": "none"}]},
    "update_tag": lambda cast, made: {"description": "d"},
    "merge_tag": another_tag,
    "add_dependency": another_task,
    "propose": lambda cast, made: {"title": "Oil the dome", "reason": "It squeaks."},
    "decide_proposal": lambda cast, made: {"decision": "accept", "note": "Good."},
    "decide_proposals": some_proposals,
    "link_task": a_duplicate,
    "set_approval_deadline": lambda cast, made: {"decide_by": "2999-01-01T00:00:00Z", "otherwise": "send_back"},
    "set_question_deadline": lambda cast, made: {"decide_by": "2999-01-01T00:00:00Z"},
    "review_task": a_review,
    "answer_need": lambda cast, made: {"answer": "approve"},
    "look_at_my_needs": lambda cast, made: {"sees_needs": True},
    "answer_message": lambda cast, made: {"token": "AZrA5g5sfVqGvL3sQpW9Kg.0.2c4c1bYb2kPpRrN0sT9v"},
    "answer_needs": lambda cast, made: {"answers": [{"id": "approval:1", "answer": "approve"}]},
    "undo_needs": lambda cast, made: {"ids": ["approval:1"]},
    "snooze_needs": lambda cast, made: {"ids": ["approval:1"], "show": True},
    "snooze_need": lambda cast, made: {"until_changed": True},
    "move_task": lambda cast, made: {"status": "review"},
    "edit_task_comment": lambda cast, made: SAID,
    "quick_add_task": lambda cast, made: {"text": "Oil the dome @vega !high"},
    "create_board_view": lambda cast, made: {"name": "Late", "query": "due:overdue"},
    "update_board_view": lambda cast, made: {"name": "Later", "move": "left"},
    "update_tasks": changes_of_tasks,
    "archive_old_tasks": lambda cast, made: {
        "done_before": "2099-01-01T00:00:00",
    },
    "add_checklist_item": lambda cast, made: {"text": "Step"},
    "order_checklist": steps,
    "change_checklist_item": lambda cast, made: {
        "is_done": True,
    },
    "set_my_reach": lambda cast, made: {"mode": "mail", "quiet_to": "07:30", "kinds": {"approval": "digest"}},
    "add_my_address": lambda cast, made: {"kind": "ntfy", "values": {"topic": "ada-needs"}, "label": "Phone"},
    "order_my_devices": one_device,
    "make_my_reach_code": a_channel,
    "create_channel": lambda cast, made: {"kind": "chat", "values": {"token": "1:a"}},
    "update_channel": lambda cast, made: {"name": "Bot", "state": "off"},
    "test_channel": lambda cast, made: {},
    "set_board_reach": lambda cast, made: {
        "team": {"kind": "discord", "place": "https://discord.com/api/webhooks/1/x", "name": "#sky"},
    },
    "mark_notifications_read": lambda cast, made: {"until": "2099-01-01T00:00:00Z"},
    "decide_gateway_request": lambda cast, made: {"decision": "approved"},
    "answer_gateway_request": lambda cast, made: {"answer": "The wide one."},
    "create_gateway": lambda cast, made: NO_GATEWAY,
    "update_gateway": lambda cast, made: {"name": "Attic"},
    "create_board_webhook": lambda cast, made: {
        "description": "d", "secret": "s",
    },
    "test_board_webhook": lambda cast, made: {"content": "{}"},
    "update_board_webhook": lambda cast, made: {"enabled": False},
    "create_outgoing_webhook": lambda cast, made: OUTGOING,
    "update_outgoing_webhook": lambda cast, made: {"kinds": ["task.*"]},
    "resume_outgoing_webhook": lambda cast, made: {},
    "resend_outgoing_webhook": lambda cast, made: {"since": "2026-01-01T00:00:00Z"},
}  # fmt: skip


def of(table: Mapping[str, Any], one: Operation, otherwise: Any = None) -> Any:
    """What a table says of an operation by its name; of a mirror on the agents' path first as `agent_` and the name."""
    ours = table.get(one.name, otherwise)
    return table.get(f"agent_{one.name}", ours) if one.is_mirror else ours


def caller_of(one: Operation, cast: Cast) -> Caller:
    """Who may call an operation: mostly the lead on the paths of agents, else Ada."""
    caller: Caller = getattr(cast, of(CALLERS, one, "atlas" if one.who == "agent" else "ada"))
    return caller


async def body_of(one: Operation, cast: Cast, made: Things) -> Any:
    """What is rightly sent to an operation; `...` when it takes no body."""
    make = of(BODIES, one)
    body = ... if make is None else make(cast, made)
    return await body if inspect.isawaitable(body) else body
