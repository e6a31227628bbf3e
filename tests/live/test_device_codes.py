"""A terminal that its person approved is let in although the server was killed in between, and only once."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.live.servers import PATIENCE, TOKEN, installation

pytestmark = pytest.mark.database
CLIENT, GRANT = "mission-control-client", "urn:ietf:params:oauth:grant-type:device_code"
OWNER = {"name": "Mara", "email": "mara@example.org", "password": "a long enough password"}


@pytest.mark.thorough
async def test_approval_survives_the_death_of_the_server(tmp_path: Path) -> None:
    async with installation(tmp_path) as place:
        async with place.served() as server:
            ours = {"Sec-Fetch-Site": "same-origin"}
            async with httpx.AsyncClient(base_url=server.url, headers=ours, timeout=PATIENCE) as browser:
                setup = {"code": TOKEN, "organization_name": "Harbour", **OWNER}
                assert (await browser.post("/setup", data=setup)).status_code == 303
                new = {"name": "Quay", "slug": "quay", "description": "Ships."}
                board = (await browser.post("/api/v1/boards", json=new)).json()["id"]
                codes = (await browser.post("/oauth/device_authorization", data={"client_id": CLIENT})).json()
                approval = {"user_code": codes["user_code"], "agent": f"{board}:new"}
                assert (await browser.post("/device/approvals", data=approval)).status_code == 303
            await server.kill()
        async with place.served() as server, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as terminal:
            sent = {"client_id": CLIENT, "grant_type": GRANT, "device_code": codes["device_code"]}
            answers = await asyncio.gather(*(terminal.post("/oauth/token", data=sent) for _ in range(4)))
            assert sorted(one.status_code for one in answers) == [200, 400, 400, 400]
            assert {one.json().get("error", "none") for one in answers} == {"none", "invalid_grant"}
            made = next(one.json() for one in answers if one.status_code == 200)
            bearer = {"Authorization": f"Bearer {made['access_token']}"}
            assert (await terminal.get("/api/v1/agent/healthz", headers=bearer)).status_code == 200
            await server.kill()
        async with place.served() as server, httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as terminal:
            assert (await terminal.post("/oauth/token", data=sent)).json()["error"] == "invalid_grant"
            assert (await terminal.get("/api/v1/agent/healthz", headers=bearer)).status_code == 200
