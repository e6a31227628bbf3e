"""Clerk's backend API: read a person's profile, delete their account."""

import logging
from urllib.parse import quote

from mission_control.core.errors import Unreachable
from mission_control.delivery.models import Delivery
from mission_control.identity.profile import Profile, profile_of_clerk
from mission_control.identity.provider import Provider
from mission_control.identity.remote import ProviderUnreachable, ask, bearer, read_object
from mission_control.sending.loop import GiveUp, Send

_log = logging.getLogger(__name__)


async def clerk_profile(provider: Provider, subject: str) -> Profile | None:
    """Return a person's profile at Clerk. Return None, and log it, when Clerk does not answer."""
    try:
        return profile_of_clerk(await read_object(_address(provider, subject), headers=bearer(provider.api_key)))
    except ProviderUnreachable as error:
        _log.warning("profile not read", extra={"reason": str(error.__cause__ or error.detail)})
        return None


def account_deleter(provider: Provider) -> Send:
    """Return the sender that deletes accounts at Clerk. An account that is already gone counts as deleted."""

    async def delete_account(delivery: Delivery) -> None:
        subject = delivery.data.get("subject")
        if not isinstance(subject, str):
            raise GiveUp("The delivery names no account.")
        await _delete(provider, subject)
        await Delivery.filter(id=delivery.id).update(data={})  # keep no personal data

    return delete_account


async def delete_now(provider: Provider, subject: str) -> None:
    """Delete an account at Clerk. Raises Unreachable when that fails; an account that is gone counts as deleted."""
    try:
        await _delete(provider, subject)
    except ProviderUnreachable as error:
        _log.warning("account not deleted at clerk", extra={"reason": str(error.__cause__ or error.detail)})
        raise Unreachable("Clerk could not delete the account. Nothing was deleted; try again later.") from error


async def _delete(provider: Provider, subject: str) -> None:
    response = await ask("DELETE", _address(provider, subject), headers=bearer(provider.api_key))
    if response.status_code >= 300 and response.status_code != 404:
        raise ProviderUnreachable(f"Clerk answered {response.status_code}.")


def _address(provider: Provider, subject: str) -> str:
    return f"{provider.api_url}/users/{quote(subject, safe='')}"
