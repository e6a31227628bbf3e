"""Checking the log of an organization, and the account log of its people, over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.core.paging import Page, page
from mission_control.jobs.schemas import JobRead
from mission_control.operations.api import Api
from mission_control.organizations import audit
from mission_control.organizations.audit import AccountLogEntry, AccountLogQuery, account_log
from mission_control.organizations.models import Organization

api = Api(__name__, "organizations", below="/organizations/me")


@api.get("/audit", rule="organization.verify")
async def read_audit(actor: Actor, organization: Organization) -> audit.AuditRead:
    """Read the signed head of the organization's log, and the result of the last check."""
    return await audit.read_audit(organization)


@api.post("/audit/checks", rule="organization.verify", is_atomic=False, status=202)
async def check_audit(actor: Actor, organization: Organization) -> JobRead:
    """Verify the organization's log from its first event, as long work: return the job at its beginning.

    The result is stored with the job, and shown to every admin by `read_audit`. While a check runs, another one is
    refused: 409.
    """
    return await audit.start_check(actor, organization)


@api.get("/audit/events", list[audit.AuditEvent], rule="organization.verify")
async def list_audit_events(
    actor: Actor, organization: Organization, query: audit.AuditEventsQuery
) -> list[dict[str, Any]]:
    """List events with everything that their hashes cover, oldest first, so that others can verify the log.

    Continue with `after`, the number of the last event.
    """
    return await audit.audit_events(organization.id, query)


@api.get("/account-log", Page[AccountLogEntry], rule="organization.read_account_log")
async def list_account_log(actor: Actor, organization: Organization, query: AccountLogQuery) -> dict[str, Any]:
    """List sign-ins, passwords, tokens and accounts of the organization's people, newest first.

    `group=rights` lists changes of roles, boards, invitations and agents' tokens instead. Only for owners.
    """
    return page(*await account_log(actor, query), query)
