"""Terminals that are signed in by a code, as an OAuth library of somebody else does it, and people who let them in."""

from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from quart import Quart

from mission_control.agents.device_sign_in.endpoints import CLIENT_ID, GRANT
from tests.cast import Cast, Person, Program
from tests.visitor import Seen, visitor

HERE = "http://localhost"


@dataclass(slots=True)
class Terminal:
    app: Quart
    device_code: str
    user_code: str
    about: dict[str, Any]

    async def token(self) -> dict[str, Any]:
        """Ask for the token as Authlib does, which raises OAuthError with the server's word for it."""
        async with oauth_client(self.app) as client:
            found: dict[str, Any] = await client.fetch_token(
                f"{HERE}/oauth/token", grant_type=GRANT, device_code=self.device_code
            )
        return found

    async def refusal(self) -> str:
        """Why there is no token now, in the server's word."""
        try:
            found = await self.token()
        except OAuthError as error:
            assert error.description
            return str(error.error)
        raise AssertionError(found)

    async def program(self) -> tuple[Program, dict[str, Any]]:
        """The program, signed in, and all that it was answered."""
        made = await self.token()
        program = Program(
            self.app,
            {"Authorization": f"Bearer {made['access_token']}"},
            id=made["agent"]["id"],
            name=made["agent"]["name"],
            secret=made["access_token"],
        )
        return program, made


def oauth_client(app: Quart) -> AsyncOAuth2Client:
    """An OAuth client that speaks to the application, without a secret, as programs on people's machines are."""
    return AsyncOAuth2Client(CLIENT_ID, token_endpoint_auth_method="none", transport=Transport(app))


class Transport(httpx2.AsyncBaseTransport):
    """Sends what httpx sends to the application, without a network."""

    def __init__(self, app: Quart) -> None:
        self.app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        client: Any = self.app.test_client(use_cookies=False)
        answer = await client.open(request.url.path, method=request.method, headers=headers, data=await request.aread())
        return httpx2.Response(answer.status_code, headers=dict(answer.headers), content=await answer.get_data())


async def post(app: Quart, path: str, form: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any], Any]:
    answer = await app.test_client(use_cookies=False).post(path, form=form, headers=headers)
    return answer.status_code, await answer.get_json(), answer.headers


ABOUT = {"client": "claude-code", "host_label": "mara-laptop", "user_label": "mara", "system": "Linux"}


async def ask(app: Quart, **about: str) -> Terminal:
    status, body, _ = await post(app, "/oauth/device_authorization", {"client_id": CLIENT_ID, **ABOUT, **about})
    assert status == 200, body
    return Terminal(app, body["device_code"], body["user_code"], body)


async def approve(cast: Cast, person: Person, terminal: Terminal, agent: str = "") -> Seen:
    """Approve a terminal on its page, for what is chosen there or for another agent."""
    browser = await visitor(cast.app, person)
    page = await browser.get(f"/device?user_code={terminal.user_code}")
    form = page.is_status(200).form("/device/approvals")
    return await browser.post("/device/approvals", form | ({"agent": agent} if agent else {}))


async def connected(cast: Cast, person: Person | None = None, agent: str = "", **about: str) -> Any:
    """A program that Ada, or somebody else, connected, and what it was answered."""
    terminal = await ask(cast.app, **about)
    (await approve(cast, person or cast.ada, terminal, agent)).is_status(303)
    return await terminal.program()
