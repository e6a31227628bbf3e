"""The organization and its logs as pages of the settings, and what people type there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import AfterValidator, StringConstraints
from quart import Blueprint, Quart, Response, current_app, g, request
from quart.typing import ResponseReturnValue

from mission_control.core.actor import Actor, can, require
from mission_control.core.values import Schema, parse_id, to_json
from mission_control.database.sql import select
from mission_control.people.accounts.names import person_name
from mission_control.people.accounts.queries import NewPassword
from mission_control.people.audit import organization_logs
from mission_control.people.jobs import commands as jobs
from mission_control.people.models import Member, Organization
from mission_control.people.organizations import queries
from mission_control.people.organizations.access import Reach
from mission_control.people.sign_in.first_run import Email, Line, zone
from mission_control.web.actions import Outcome, Refusal, action, again
from mission_control.web.forms import Fields, Form, FormInvalid, VersionedForm, go
from mission_control.web.fragments import PageContext
from mission_control.web.lists import Asked, LiveList, Pages, number_asked
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import SettingsPage, administers, safe_next, settings_page, signed_in

Role = Literal["member", "admin", "owner"]


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
            raise FormInvalid(self.model_dump(), {"typed": "Type the name exactly as it is written above."})


class AcceptForm(Form):
    """The secret of an invitation."""

    token: Annotated[str, StringConstraints(max_length=200)]


class JoinForm(Schema):
    """An account for the person whom an invitation names."""

    name: Line
    password: NewPassword
    timezone: Annotated[str | None, AfterValidator(zone)] = None


MAX_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class Counts:
    """What goes with an organization that is deleted."""

    boards: int
    tasks: int
    agents: int
    people: int
    events: int


async def consequences(organization_id: UUID) -> Counts:
    [counts] = await select(
        Counts,
        "SELECT (SELECT COUNT(*) FROM boards WHERE organization_id = o.id AND deleted_at IS NULL) AS boards,"
        " (SELECT COALESCE(SUM((SELECT COUNT(*) FROM tasks t WHERE t.board_id = b.id AND t.deleted_at IS NULL"
        " AND t.archived_at IS NULL) + (SELECT COUNT(*) FROM tasks t WHERE t.board_id = b.id AND t.deleted_at IS NULL"
        " AND t.archived_at IS NOT NULL)), 0) FROM boards b WHERE b.organization_id = o.id AND b.deleted_at IS NULL)"
        " AS tasks,"
        " (SELECT COUNT(*) FROM agents WHERE organization_id = o.id) AS agents,"
        " (SELECT COUNT(*) FROM organization_members WHERE organization_id = o.id) AS people,"
        " o.log_seq AS events FROM organizations o WHERE o.id = ?",
        organization_id,
    )
    return counts


@dataclass(frozen=True, slots=True)
class Person:
    """A member, for a form to choose."""

    member_id: UUID
    user_id: UUID
    name: str
    email: str | None


async def people_of(organization_id: UUID) -> list[Person]:
    return await select(
        Person,
        f"SELECT m.id AS member_id, u.id AS user_id, {person_name('u', 'User')} AS name, u.email"
        " FROM organization_members m JOIN users u ON u.id = m.user_id"
        f" WHERE m.organization_id = ? ORDER BY LOWER(COALESCE(u.name, u.email)), u.id LIMIT {MAX_PEOPLE}",
        organization_id,
    )


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
    organization = await queries.active_organization(actor)
    mine = actor.memberships[organization.id]
    owners = await Member.filter(organization_id=organization.id, role="owner").count()
    others = (
        [one for one in await people_of(organization.id) if one.user_id != actor.id] if mine.role == "owner" else []
    )
    saved = request.args.get("saved", "") if request.method == "GET" else ""
    return await settings_page(
        actor,
        "people/organizations/general.html",
        "organization",
        organization=organization,
        values=NameForm.shown(organization) | values,
        section=section,
        errors=errors or {},
        saved=SAVED.get(saved, ""),
        role=mine.role,
        is_only_owner=mine.role == "owner" and owners == 1,
        heirs=[(str(one.member_id), f"{one.name} ({one.email})" if one.email else one.name) for one in others],
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
async def transfer_my_org(outcome: Outcome[Organization, queries.OrganizationOwnershipUpdate]) -> ResponseReturnValue:
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
    organization = await queries.active_organization(actor)
    require(actor, "organization.delete", organization)
    return await _deletion(actor, organization, {}, {})


async def _deletion(actor: Actor, organization: Organization, values: Fields, errors: dict[str, str]) -> str:
    return await settings_page(
        actor,
        "people/organizations/deletion.html",
        "organization",
        organization=organization,
        counts=await consequences(organization.id),
        left=await queries.left_on_gateways(organization.id),
        errors=errors,
    )


@action(pages, f"{GENERAL}/deletion", form=DeleteOrganizationForm, refused=again(_deletion, FormInvalid))
async def delete_my_org(outcome: Outcome[Organization, DeleteOrganizationForm]) -> ResponseReturnValue:
    """Delete the organization with everything in it."""
    return go("/")


@pages.get("/organizations/new")
async def new() -> str:
    """Ask for the name of a new organization."""
    return await _new(await signed_in(), None, {}, {})


async def _new(actor: Actor, _: None, values: Fields, errors: dict[str, str]) -> str:
    errors = {"name": " ".join(errors.values())} if errors else {}
    return await settings_page(actor, "people/organizations/new.html", "organization", values=values, errors=errors)


@action(pages, "/organizations", form=NewOrganizationForm, refused=again(_new))
async def create_organization(outcome: Outcome[None, NewOrganizationForm]) -> ResponseReturnValue:
    """Make an organization and go on to it."""
    return go("/boards")


@action(pages, "/organizations/active")
async def set_active_org(outcome: Outcome[None, queries.OrganizationActiveUpdate]) -> ResponseReturnValue:
    """Work in another organization."""
    return go(safe_next(request.args.get("next")))


audit_pages = Pages("audit_pages", __name__)
AUDIT = "/settings/audit"
AT_ONCE = 50
SETTINGS = SettingsPage(
    "audit", "Organization", "Audit", AUDIT, "shield-check", 200, "log verify head sign-ins account", administers
)


async def _read(actor: Actor, _: Asked) -> PageContext:
    """Return the head of the log and its last check."""
    organization = await queries.active_organization(actor)
    may_read = can(actor, "organization.read_account_log", organization)
    job = await organization_logs.running_check(organization.id)
    return {
        "audit": await organization_logs.read_audit(organization),
        "job": job,
        "may_read_accounts": may_read,
        "error": "",
    }


PAGE = LiveList(
    pages=audit_pages, place=SETTINGS, template="people/organizations/audit.html", read=_read, blocks=("check",),
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
    organization = await queries.active_organization(await signed_in())
    require(g.actor, "organization.verify", organization)
    head = await organization_logs.read_audit(organization)
    app: Quart = current_app._get_current_object()

    async def lines() -> AsyncIterator[bytes]:
        after = 0
        while after < head.seq:
            async with app.app_context():
                found = await organization_logs.audit_events(
                    organization.id, organization_logs.AuditEventsQuery(after=after, limit=500)
                )
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
    organization = await queries.active_organization(actor)
    require(actor, "organization.read_account_log", organization)
    group: Any = request.args.get("group", "")
    person = request.args.get("person", "")
    wanted = organization_logs.AccountLogQuery.model_construct(
        group=group if group in get_args(organization_logs.Group) else None,
        user_id=parse_id(person) if len(person) == 36 else None,
        limit=AT_ONCE,
        offset=number_asked("from"),
    )
    entries, total = await organization_logs.account_log(actor, wanted)
    return await settings_page(
        actor,
        "people/organizations/account_log.html",
        "audit",
        entries=entries,
        total=total,
        wanted=wanted,
        at_once=AT_ONCE,
        groups=get_args(organization_logs.Group),
        people=[(str(one.user_id), one.name) for one in await people_of(actor.organization_id)],
    )
