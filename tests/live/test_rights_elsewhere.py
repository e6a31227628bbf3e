"""A change of rights that one process answered counts for the next request to another one."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from quart import Quart
from quart_auth import generate_auth_token

from mission_control.core.actor import system
from mission_control.people.accounts.commands import end_other_sessions, start_session
from mission_control.people.models import User
from tests.cast import Cast
from tests.live.servers import API, installation
from tests.rights_changes import PROBES, Probe, member_path

pytestmark = pytest.mark.dialect


async def ask(elsewhere: httpx.AsyncClient, cast: Cast, probe: Probe) -> tuple[int, Any]:
    method = "GET" if probe.body is None else "POST"
    headers = getattr(cast, probe.who).headers
    response = await elsewhere.request(method, probe.path(cast), headers=headers, json=probe.body)
    return response.status_code, response.json()


@pytest.mark.postgres
@pytest.mark.parametrize("name", PROBES)
async def test_change_of_rights_counts_on_another_worker(elsewhere: httpx.AsyncClient, cast: Cast, name: str) -> None:
    probe = PROBES[name]
    status, body = await ask(elsewhere, cast, probe)
    assert status == 200, body
    await probe.change(cast)
    status, body = await ask(elsewhere, cast, probe)
    assert (status, probe.status != 200 or probe.shows(body)) == (probe.status, True), body


@pytest.mark.postgres
async def test_each_of_many_changes_counts_on_another_worker(elsewhere: httpx.AsyncClient, cast: Cast) -> None:
    path = f"{await member_path(cast, cast.dan)}/access"
    for number in range(20):
        reads = number % 2 == 0
        (await cast.ada.call("PUT", path, {"all_boards_read": reads})).ok()
        answer = await elsewhere.get(cast.home, headers=cast.dan.headers)
        assert answer.status_code == (200 if reads else 404)


@pytest.mark.postgres
async def test_session_that_ended_is_over_on_another_worker(
    elsewhere: httpx.AsyncClient, app: Quart, cast: Cast
) -> None:
    user = await User.get(id=cast.ada.id)
    secret = await start_session(system(), user, None)
    cookie = {"Cookie": f"mission_control={generate_auth_token(app.test_client(), secret)}"}
    assert (await elsewhere.get("/users/me", headers=cookie)).status_code == 200
    await end_other_sessions(await cast.ada.actor(), user)
    assert (await elsewhere.get("/users/me", headers=cookie)).status_code == 401


@pytest.mark.database
async def test_changes_by_the_command_line_count_from_the_next_request(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as server, server.client() as owner:
        board = (await owner.post(f"{API}/boards", json={"name": "Dome", "slug": "dome", "description": "-"})).json()
        created = ("user", "create", "bea@example.org", "--name", "Bea", "--password-stdin")
        await home.command(*created, typed="correct horse battery\n")
        token = (await home.command("token", "create", "bea@example.org")).splitlines()[0]
        bea = httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        async with bea:
            tasks = f"{API}/boards/{board['id']}/tasks"
            assert (await bea.post(tasks, json={"title": "One"})).status_code == 403
            await home.command("user", "set-access", "bea@example.org", "write")
            assert (await bea.post(tasks, json={"title": "One"})).status_code == 200
            await home.command("user", "set-role", "bea@example.org", "admin")
            assert (await bea.get(f"{API}/organizations/me/member")).json()["role"] == "admin"
            listed = await home.command("token", "list", "bea@example.org")
            await home.command("token", "revoke", listed.splitlines()[1].split()[0])
            assert (await bea.get(f"{API}/users/me")).status_code == 401
