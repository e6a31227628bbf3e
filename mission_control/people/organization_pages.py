"""The organization and its logs as pages of the settings, and what people type there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import AfterValidator, BaseModel, StringConstraints, TypeAdapter
from quart import Blueprint, Quart, Response, current_app, g, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, can, require
from mission_control.core.values import parse_id, to_json
from mission_control.database.sql import rows
from mission_control.people import jobs
from mission_control.people.access import Reach
from mission_control.people.account_names import person_name
from mission_control.people.account_queries import NewPassword
from mission_control.people.audit import (
    AccountLogQuery,
    AuditEventsQuery,
    Group,
    account_log,
    audit_events,
    read_audit,
    running_check,
)
from mission_control.people.models import Member, Organization
from mission_control.people.organization_queries import (
    OrganizationActiveUpdate,
    OrganizationOwnershipUpdate,
    active_organization,
    left_on_gateways,
)
from mission_control.people.setup import Email, Line, zone
from mission_control.web.actions import Outcome, Refusal, action
from mission_control.web.forms import Fields, Form, FormInvalid, VersionedForm, go
from mission_control.web.lists import Asked, LiveList, Pages
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, administers, safe_next, settings_page, signed_in

Role = Literal["member", "admin", "owner"]
TYPE_THE_NAME = "Type the name exactly as it is written above."


class InviteForm(Form):
    """Somebody to invite; each board is `<id>:read` or `<id>:write`."""

    email: Email
    role: Role = "member"
    reach: Reach = "chosen"
    boards: list[str] = []

    def body(self, found: Organization) -> Fields:
        wanted = [one.partition(":") for one in self.boards] if self.reach == "chosen" else []
        return {
            "invited_email": self.email,
            "role": self.role,
            "all_boards_read": self.reach != "chosen",
            "all_boards_write": self.reach == "all_write",
            "board_access": [
                {"board_id": board, "can_write": access == "write"}
                for board, _, access in wanted
                if access in ("read", "write")
            ],
        }


class RoleForm(Form):
    """Another role for a member."""

    role: Role


class NameForm(VersionedForm):
    """A name for an organization."""

    name: Line


class NewOrganizationForm(Form):
    """A new organization."""

    name: Line


class DeleteOrganizationForm(Form):
    """The name, typed, of an organization that is to be deleted."""

    typed: Annotated[str, StringConstraints(strip_whitespace=True, max_length=400)] = ""

    def body(self, found: Organization) -> None:
        if self.typed != found.name:
            raise FormInvalid(self.model_dump(), {"typed": TYPE_THE_NAME})


class AcceptForm(Form):
    """The secret of an invitation."""

    token: Annotated[str, StringConstraints(max_length=200)]


class JoinForm(BaseModel):
    """An account for the person whom an invitation names."""

    name: Line
    password: NewPassword
    timezone: Annotated[str | None, AfterValidator(zone)] = None


MAX_HEIRS = 200


@dataclass(frozen=True, slots=True)
class Counts:
    """What goes with an organization that is deleted."""

    boards: int
    tasks: int
    agents: int
    people: int
    events: int


async def consequences(organization_id: UUID) -> Counts:
    [row] = await rows(
        "SELECT (SELECT COUNT(*) FROM boards WHERE organization_id = ? AND deleted_at IS NULL) AS boards,"
        " (SELECT COUNT(*) FROM tasks t JOIN boards b ON b.id = t.board_id WHERE b.organization_id = ?"
        " AND b.deleted_at IS NULL AND t.deleted_at IS NULL) AS tasks,"
        " (SELECT COUNT(*) FROM agents WHERE organization_id = ?) AS agents,"
        " (SELECT COUNT(*) FROM organization_members WHERE organization_id = ?) AS people,"
        " (SELECT log_seq FROM organizations WHERE id = ?) AS events",
        *[organization_id] * 5,
    )
    return Counts(**{name: int(row[name] or 0) for name in Counts.__slots__})


async def people_options(organization_id: UUID) -> list[tuple[str, str]]:
    """Return the members by their account, as options of a form."""
    found = await rows(
        f"SELECT u.id, {person_name('u', 'User')} AS name FROM organization_members m JOIN users u ON u.id = m.user_id"
        f" WHERE m.organization_id = ? ORDER BY LOWER(COALESCE(u.name, u.email)), u.id LIMIT {MAX_HEIRS}",
        organization_id,
    )
    return [(str(row["id"]), row["name"]) for row in found]


async def heirs(actor: Actor) -> list[tuple[str, str]]:
    """Return the members who may become the owner instead of the actor, as options of a form."""
    found = await rows(
        f"SELECT m.id, {person_name('u', 'User')} AS name, u.email FROM organization_members m"
        " JOIN users u ON u.id = m.user_id WHERE m.organization_id = ? AND m.user_id <> ?"
        f" ORDER BY LOWER(COALESCE(u.name, u.email)), m.id LIMIT {MAX_HEIRS}",
        actor.organization_id,
        actor.id,
    )
    return [(str(row["id"]), f"{row['name']} ({row['email']})" if row["email"] else row["name"]) for row in found]


pages = Blueprint("organization_pages", __name__)
GENERAL = "/settings/organization"
SETTINGS_PAGES = (
    SettingsPage("organization", "Organization", "General", GENERAL, "building-2", 110, "name rename leave delete"),
)
SAVED = {"name": "The name is changed.", "ownership": "The ownership is handed over. You are an admin now."}


@pages.get(GENERAL)
async def general() -> str:
    """Show the organization."""
    return await _general(await signed_in())


async def _general(actor: Actor, section: str = "", errors: dict[str, str] | None = None, **values: object) -> str:
    organization = await active_organization(actor)
    mine = actor.memberships[organization.id]
    owners = await Member.filter(organization_id=organization.id, role="owner").count()
    saved = request.args.get("saved", "") if request.method == "GET" else ""
    return await settings_page(
        actor,
        "organizations/general.html",
        "organization",
        organization=organization,
        values=NameForm.shown(organization) | values,
        section=section,
        errors=errors or {},
        saved=SAVED.get(saved, ""),
        role=mine.role,
        is_only_owner=mine.role == "owner" and owners == 1,
        heirs=await heirs(actor) if mine.role == "owner" else [],
        may_rename=can(actor, "organization.rename", organization),
        may_delete=can(actor, "organization.delete", organization),
    )


def _refused_in(section: str) -> Any:
    async def refused(refusal: Refusal[Organization, Any]) -> ResponseReturnValue:
        refusal.only()
        values = refusal.values if section == "name" else {}
        return await _general(refusal.actor, section, refusal.errors, **values)

    return refused


@action(pages, GENERAL, form=NameForm, refused=_refused_in("name"))
async def update_my_org(outcome: Outcome[Organization, NameForm]) -> ResponseReturnValue:
    """Rename the organization."""
    return go(f"{GENERAL}?saved=name")


@action(pages, f"{GENERAL}/ownership", refused=_refused_in("ownership"))
async def transfer_my_org(outcome: Outcome[Organization, OrganizationOwnershipUpdate]) -> ResponseReturnValue:
    """Make a member the owner."""
    return go(f"{GENERAL}?saved=ownership")


@action(pages, f"{GENERAL}/departures", refused=_refused_in("leave"))
async def leave_my_org(outcome: Outcome[Organization, None]) -> ResponseReturnValue:
    """Leave the organization."""
    return go("/")


@pages.get(f"{GENERAL}/deletion")
async def deletion() -> str:
    """Ask before the organization is deleted, with everything that goes with it."""
    actor = await signed_in()
    require(actor, "organization.delete", await active_organization(actor))
    return await _deletion(actor, {})


async def _deletion(actor: Actor, errors: dict[str, str]) -> str:
    return await settings_page(
        actor,
        "organizations/deletion.html",
        "organization",
        organization=await active_organization(actor),
        counts=await consequences(actor.organization_id),
        left=await left_on_gateways(actor.organization_id),
        errors=errors,
    )


async def _not_deleted(refusal: Refusal[Organization, DeleteOrganizationForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    return await _deletion(refusal.actor, refusal.errors)


@action(pages, f"{GENERAL}/deletion", form=DeleteOrganizationForm, refused=_not_deleted)
async def delete_my_org(outcome: Outcome[Organization, DeleteOrganizationForm]) -> ResponseReturnValue:
    """Delete the organization with everything in it."""
    return go("/")


@pages.get("/organizations/new")
async def new() -> str:
    """Ask for the name of a new organization."""
    return await _new(await signed_in(), {}, {})


async def _new(actor: Actor, values: Fields, errors: dict[str, str]) -> str:
    return await settings_page(actor, "organizations/new.html", "organization", values=values, errors=errors)


async def _not_founded(refusal: Refusal[None, NewOrganizationForm]) -> ResponseReturnValue:
    refusal.only()
    errors = {"name": refusal.sentence}
    return await _new(refusal.actor, refusal.values, errors)


@action(pages, "/organizations", form=NewOrganizationForm, refused=_not_founded)
async def create_organization(outcome: Outcome[None, NewOrganizationForm]) -> ResponseReturnValue:
    """Make an organization and go on to it."""
    return go("/boards")


@action(pages, "/organizations/active")
async def set_active_org(outcome: Outcome[None, OrganizationActiveUpdate]) -> ResponseReturnValue:
    """Work in another organization."""
    return go(safe_next(request.args.get("next")))


audit_pages = Pages("audit_pages", __name__)
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
    pages=audit_pages, place=SETTINGS, template="organizations/audit.html", read=_read, blocks=("check",),
    news=Concerns[View](signals=("job_id",)), verb="organization.verify",
)  # fmt: skip


async def _not_checked(refusal: Refusal[Organization, None]) -> ResponseReturnValue:
    return await PAGE.show(refusal.actor, error=refusal.sentence)


@action(audit_pages, f"{AUDIT}/checks", refused=_not_checked)
async def check_audit(outcome: Outcome[Organization, None]) -> ResponseReturnValue:
    """Begin to verify the log from its first event; a short one is verified when the page comes."""
    await jobs.ended_soon(outcome.answer.id)
    return go(f"{AUDIT}#check")


@audit_pages.get(f"{AUDIT}/events.jsonl")
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
            found = [one for one in found if one.seq <= head.seq]
            if not found:
                break
            after = found[-1].seq
            yield b"".join(to_json(one) + b"\n" for one in found)
        yield head.line.encode() + b"\n"

    disposition = f'attachment; filename="log-{organization.id}.jsonl"'
    response = Response(lines(), content_type="application/jsonl", headers={"Content-Disposition": disposition})
    response.timeout = None
    return response


@audit_pages.get(f"{AUDIT}/accounts")
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
