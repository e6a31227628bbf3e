"""The provider from outside: sign in there as a browser would, and make tokens with its own key."""

import base64
import hashlib
import re
import time
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

import httpx
import orjson
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from tests.cast import Caller

PATIENCE = 60
SECRET = "sk_test_a-secret-of-the-backend"
REDIRECT = "http://localhost/sign-in/callback"
AUDIENCE = "https://mission.example.org/api"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-of-pkce"


@dataclass(frozen=True, slots=True)
class RunningProvider:
    """The provider's address, and what its test endpoints do."""

    issuer: str

    async def state(self, endpoint: str = "state") -> dict[str, Any]:
        """Return what it counted; other endpoints rotate its keys, show its key, or let its backend refuse."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            found: dict[str, Any] = (await client.get(f"{self.issuer}/test/{endpoint}")).json()
            return found

    async def machine_token(self) -> str:
        """Return a JWT access token of a machine."""
        login = httpx.BasicAuth("machine", quote("a secret of the machine"))
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            answer = await client.post(f"{self.issuer}/token", data={"grant_type": "client_credentials"}, auth=login)
        return str(answer.json()["access_token"])

    async def tokens_of(self, person: str, **more: str) -> dict[str, Any]:
        """Sign a person in with the public client. Return its ID token and access token."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": "public", "redirect_uri": REDIRECT, "scope": "openid email profile",
            "state": "s", "nonce": "n", "code_challenge": challenge, "code_challenge_method": "S256", **more,
        }  # fmt: skip
        arrived = await self.sign_in(f"{self.issuer}/auth?{urlencode(asked)}", person)
        code = parse_qs(urlsplit(arrived).query)["code"][0]
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "client_id": "public",
            "code_verifier": VERIFIER,
        }  # fmt: skip
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            answer = await client.post(f"{self.issuer}/token", data=form)
        found: dict[str, Any] = answer.json()
        assert answer.status_code == 200, found
        return found

    async def sign_in(self, address: str, person: str) -> str:
        """Follow the provider's pages as a person until they lead back. Return that address."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as browser:
            answer = await browser.get(address)
            for _ in range(12):
                if answer.is_redirect:
                    target = urljoin(str(answer.url), answer.headers["Location"])
                    if target.startswith(REDIRECT):
                        return target
                    answer = await browser.get(target)
                    continue
                answer = await browser.post(_form_action(answer), data=_filled(answer, person))
        raise AssertionError(f"no way back from {answer.url}: {answer.text[:300]}")

    async def forged(self, *, header: dict[str, Any] | None = None, key: RSAKey | None = None, **claims: Any) -> str:
        """Return a token with these claims, signed with the provider's own key unless another is given."""
        own = await self.state("key")
        now = int(time.time())
        said = {
            "iss": self.issuer, "sub": "vera", "aud": "mission-control", "iat": now, "exp": now + 600, **claims,
        }  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        top = {"alg": "RS256", "kid": own["kid"], **(header or {})}
        signed: str = jwt.encode(
            {name: value for name, value in top.items() if value is not None},
            said,
            key or _imported(orjson.dumps(own)),
            registry=JWSRegistry(strict_check_header=False),
        )
        return signed


@cache
def _imported(key: bytes) -> RSAKey:
    """Return a key of a provider; OpenSSL checks it for 40 ms."""
    return RSAKey.import_key(orjson.loads(key))


def _form_action(answer: httpx.Response) -> str:
    found = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
    assert found, answer.text[:500]
    return str(urljoin(str(answer.url), found[1]))


def _filled(answer: httpx.Response, person: str) -> dict[str, str]:
    prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
    assert prompt, answer.text[:500]
    return {"prompt": prompt[1], "login": person, "password": "any"}


def with_bearer(app: Any, token: str) -> Caller:
    """Return a caller with a bearer token."""
    return Caller(app, {"Authorization": f"Bearer {token}"})
