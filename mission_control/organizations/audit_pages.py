"""The logs as pages of the settings: what was verified, the head to keep elsewhere, and the account log."""

from collections.abc import AsyncIterator
from typing import Any, get_args
from uuid import UUID

import orjson
from pydantic import TypeAdapter
from quart import Quart, Response, current_app, g, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor
from mission_control.core.ids import parse_id
from mission_control.core.policy import can, require
from mission_control.jobs import running
from mission_control.organizations.audit import (
    AccountLogQuery,
    AuditEventsQuery,
    Group,
    account_log,
    audit_events,
    read_audit,
    running_check,
)
from mission_control.organizations.models import Organization
from mission_control.organizations.organization_view import people_options
from mission_control.organizations.queries import active_organization
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import go
from mission_control.web.lists import Asked, LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, administers, settings_page, signed_in

pages = Pages("audit_pages", __name__)
AUDIT = "/settings/audit"
AT_ONCE = 50
SETTINGS = SettingsPage(
    "audit", "Organization", "Audit", AUDIT, "shield-check", 200, "log verify head sign-ins account", administers
)


async def _read(actor: Actor, _: Asked) -> dict[str, object]:
    """Return the head of the log and its last check."""
    organization = await active_organization(actor)
    may_read = can(actor, "organization.read_account_log", organization)
    job = await running_check(organization.id)
    return {"audit": await read_audit(organization), "job": job, "may_read_accounts": may_read, "error": ""}


PAGE = LiveList(
    pages=pages, place=SETTINGS, template="organizations/audit.html", read=_read, blocks=("check",),
    news=Concerns[View](signals=("job_id",)), verb="organization.verify",
)  # fmt: skip


async def _not_checked(refusal: Refusal[Organization, None]) -> ResponseReturnValue:
    return await PAGE.show(refusal.actor, error=refusal.sentence)


@action(pages, "POST", f"{AUDIT}/checks", performs="check_audit", refused=_not_checked)
async def check(outcome: Outcome[Organization, None]) -> ResponseReturnValue:
    """Begin to verify the log from its first event; a short one is verified when the page comes."""
    await running.ended_soon(outcome.answer.id)
    return go(f"{AUDIT}#check")


@pages.get(f"{AUDIT}/events.jsonl")
async def export() -> Response:
    """Send all events up to now as lines of JSON, then the head: what is needed to verify the log elsewhere."""
    organization = await active_organization(await signed_in())
    require(g.actor, "organization.verify", organization)
    head = await read_audit(organization)
    app: Quart = current_app._get_current_object()

    async def lines() -> AsyncIterator[bytes]:
        after = 0
        while after < head.seq:
            async with app.app_context():
                found = await audit_events(organization.id, AuditEventsQuery(after=after, limit=500))
            found = [one for one in found if one["seq"] <= head.seq]
            if not found:
                break
            after = found[-1]["seq"]
            yield b"".join(orjson.dumps(one, default=str) + b"\n" for one in found)
        yield head.line.encode() + b"\n"

    disposition = f'attachment; filename="log-{organization.id}.jsonl"'
    response = Response(lines(), content_type="application/jsonl", headers={"Content-Disposition": disposition})
    response.timeout = None
    return response


@pages.get(f"{AUDIT}/accounts")
async def accounts() -> str:
    """Show the account log to owners."""
    actor = await signed_in()
    organization = await active_organization(actor)
    require(actor, "organization.read_account_log", organization)
    wanted = AccountLogQuery.model_construct(
        group=_group(), user_id=_person(), limit=AT_ONCE, offset=_number(request.args.get("from", ""))
    )
    entries, total = await account_log(actor, wanted)
    return await settings_page(
        actor,
        "organizations/account_log.html",
        "audit",
        entries=entries,
        total=total,
        wanted=wanted,
        at_once=AT_ONCE,
        groups=get_args(Group),
        people=await people_options(actor.organization_id),
    )


def _group() -> Any:
    text = request.args.get("group", "")
    return TypeAdapter(Group).validate_python(text) if text in get_args(Group) else None


def _person() -> UUID | None:
    text = request.args.get("person", "")
    return parse_id(text) if len(text) == 36 else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
