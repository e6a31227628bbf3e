"""The identity provider that this installation trusts."""

import math
from dataclasses import dataclass
from typing import Literal

from mission_control.config import Settings

ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's settings. Without an issuer (Clerk with only its secret key) the keys come from Clerk's backend."""

    kind: Literal["clerk", "oidc"]
    issuer: str
    audiences: tuple[str, ...]
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    parties: tuple[str, ...]
    allowed_domains: tuple[str, ...]
    allowed_groups: tuple[str, ...]
    algorithms: frozenset[str]
    leeway: int
    checks_iat: bool
    api_url: str
    api_key: str

    @property
    def signs_in_pages(self) -> bool:
        """Return whether people can sign in on pages with it."""
        return bool(self.issuer and self.client_id)


def provider_of(settings: Settings) -> Provider | None:
    """Return the provider that the settings name, None in local mode."""
    if settings.auth_mode == "local":
        return None
    is_clerk = settings.auth_mode == "clerk"
    return Provider(
        kind="clerk" if is_clerk else "oidc",
        issuer=settings.issuer,
        audiences=settings.oidc_audience,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        scopes=tuple(dict.fromkeys(("openid", *settings.oidc_scopes))),
        parties=settings.clerk_authorized_parties if is_clerk else (),
        allowed_domains=tuple(domain.lower().removeprefix("@") for domain in settings.oidc_allowed_domains),
        allowed_groups=settings.oidc_allowed_groups,
        algorithms=frozenset({"RS256"}) if is_clerk else ASYMMETRIC,
        leeway=math.ceil(settings.clerk_leeway if is_clerk else settings.oidc_leeway),
        checks_iat=settings.clerk_verify_iat if is_clerk else True,
        api_url=_versioned(settings.clerk_api_url) if is_clerk else "",
        api_key=settings.clerk_secret_key if is_clerk else "",
    )


def _versioned(url: str) -> str:
    url = url.rstrip("/")
    return url if url.endswith("/v1") else f"{url}/v1"
