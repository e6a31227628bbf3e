"""The provider of the running application, and its signed tokens as credentials of API requests."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from quart import Quart, current_app

from mission_control.background import sending
from mission_control.background.sending import Sender
from mission_control.core import extensions, times
from mission_control.core.values import JsonObject
from mission_control.http import authentication
from mission_control.people.accounts.deletion import DELETE_AT_PROVIDER
from mission_control.people.sign_in.errors import ProviderUnreachable
from mission_control.people.sign_in.identity_provider import (
    Provider,
    ProviderKeys,
    bearer,
    provider_of,
    read_object,
)
from mission_control.people.sign_in.provider_accounts import (
    Profile,
    account_deleter,
    clerk_profile,
    delete_now,
    person_behind,
    profile_of_claims,
)

_log = logging.getLogger(__name__)


IDENTITY = "mission_control.identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """The provider of one application and the keys it publishes."""

    provider: Provider
    keys: ProviderKeys

    async def details(self, claims: JsonObject, access_token: str | None) -> Profile | None:
        """Ask the provider for a person's profile. Return None, and log it, when it does not answer."""
        if self.provider.kind == "clerk" and self.provider.api_key:
            return await clerk_profile(self.provider, claims["sub"])
        try:
            address = (await self.keys.metadata()).get("userinfo_endpoint")
            if not (isinstance(address, str) and access_token):
                return None
            userinfo = await read_object(address, headers=bearer(access_token))
        except ProviderUnreachable as error:
            _log.info("userinfo not read", extra={"reason": str(error.__cause__ or error.detail)})
            return None
        return profile_of_claims(userinfo) if isinstance(userinfo.get("sub"), str) else None


@extensions.prepare
def prepare(app: Quart) -> None:
    """Give the application its provider, if the settings name one."""
    provider = provider_of(app.config["SETTINGS"])
    app.extensions[IDENTITY] = Identity(provider, ProviderKeys(provider)) if provider else None


@sending.senders
def senders(app: Quart) -> list[Sender]:
    provider = provider_of(app.config["SETTINGS"])
    if provider is None or provider.kind != "clerk":
        return []
    return [Sender(DELETE_AT_PROVIDER, account_deleter(provider))]


def identity() -> Identity | None:
    provider: Identity | None = current_app.extensions.get(IDENTITY)
    return provider


async def delete_at_provider(subject: str) -> None:
    """Delete an account at Clerk, the one provider that lets us. Raises Unreachable (502) when it does not answer."""
    provider = identity()
    if provider is not None and provider.provider.kind == "clerk" and provider.provider.api_key:
        await delete_now(provider.provider, subject)


@authentication.provider_token
async def person_of_token(token: str) -> tuple[UUID, datetime] | None:
    """Return a bearer token's person and when the token ends; None when it is not valid."""
    provider = identity()
    if provider is None:
        return None
    from mission_control.people.sign_in import _provider_tokens

    claims = await _provider_tokens.bearer_claims(provider.keys, token)
    if claims is None:
        return None
    person = await person_behind(provider.provider, claims, lambda: provider.details(claims, token))
    ends = datetime.fromtimestamp(min(claims["exp"] + provider.provider.leeway, 253402300799), UTC)
    return None if person is None else (person.id, times.naive_utc(ends))
