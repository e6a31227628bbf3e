"""A person's profile, read from the many spellings of claims and provider APIs."""

from dataclasses import dataclass, replace
from typing import Any, Self

LONGEST_EMAIL = 320
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Profile:
    """What the provider says about a person. `email_verified` applies to this address only."""

    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None

    def completed_by(self, fuller: "Profile | None") -> Self:
        """Return the profile with the fuller source's address, and its name where this one has none."""
        if fuller is None or fuller.subject != self.subject:
            return self
        known = replace(self, name=self.name or fuller.name)
        if fuller.email is None:
            return known
        verified = fuller.email_verified or (self.email_verified and self.email == fuller.email)
        return replace(known, email=fuller.email, email_verified=verified)


def profile_of_claims(claims: dict[str, Any]) -> Profile:
    """Return the profile in a token's claims or a userinfo answer."""
    email, verified = _email(claims)
    name = _text(claims, "name", "full_name") or _joined(claims)
    return Profile(claims["sub"], email, verified, name)


def profile_of_clerk(user: dict[str, Any]) -> Profile | None:
    """Return the profile in an answer of Clerk's backend."""
    subject = user.get("id")
    if not isinstance(subject, str):
        return None
    email, verified = _listed_email(user.get("email_addresses"), user.get("primary_email_address_id"))
    name = _text(user, "full_name", "name") or _joined(user) or _text(user, "username")
    return Profile(subject, email, verified, name)


def _email(claims: dict[str, Any]) -> tuple[str | None, bool]:
    for name in ("email", "email_address", "primary_email_address"):
        if address := _address(claims.get(name)):
            return address, claims.get("email_verified") is True
    return _listed_email(claims.get("email_addresses"), claims.get("primary_email_address_id"))


def _listed_email(listed: Any, primary: Any) -> tuple[str | None, bool]:
    """Return the primary address of a list of texts or objects, else the first one, and whether it is verified."""
    found = [one for one in (listed if isinstance(listed, list) else []) if isinstance(one, str | dict)]
    objects = [one for one in found if isinstance(one, dict)]
    chosen = next((one for one in objects if primary and one.get("id") == primary), found[0] if found else None)
    if isinstance(chosen, dict):
        proof = chosen.get("verification")
        address = _address(chosen.get("email_address")) or _address(chosen.get("email"))
        return address, address is not None and isinstance(proof, dict) and proof.get("status") == "verified"
    return _address(chosen), False


def _address(value: Any) -> str | None:
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if "@" in text and len(text) <= LONGEST_EMAIL and _is_storable(text) else None


def _joined(found: dict[str, Any]) -> str | None:
    parts = (_text(found, "given_name", "first_name"), _text(found, "family_name", "last_name"))
    return " ".join(part for part in parts if part) or None


def _text(found: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = found.get(name)
        if isinstance(value, str) and value.strip() and _is_storable(value):
            return value.strip()[:LONGEST_NAME]
    return None


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
