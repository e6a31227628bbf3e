"""`mission-control demo`, as a newcomer starts it."""

import asyncio
import json
import random
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from mission_control.cli.demo import agents as colleague
from mission_control.cli.demo import code, story
from mission_control.cli.demo.agents import LEFT, Api, Gone, Refused
from mission_control.cli.demo.seed import GATEWAY, HOLDING_AGENT, SILENT_AGENT
from tests.live.servers import API, COMMAND, PATIENCE, Installation, installation

pytestmark = pytest.mark.database

IN_PROGRESS = {"status": "in_progress"}
FAST = ("demo", "--speed", "60")


@asynccontextmanager
async def playing(home: Installation, *options: str) -> AsyncIterator[tuple[str, str]]:
    """The demo at work; yields its address and the path of the link that signs in."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *FAST, *options, env=home.environment(), cwd=home.folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    printed = ""
    try:
        async with asyncio.timeout(PATIENCE):
            while "Ctrl-C" not in printed:
                line = await process.stdout.readline()
                assert line, printed
                printed += line.decode()
        found = re.search(r"is at (http://[^/]+)(\S+)", printed)
        assert found is not None
        yield found[1], found[2]
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        async with asyncio.timeout(PATIENCE):
            rest, _ = await process.communicate()
    assert process.returncode == 0, rest.decode()
    assert "Traceback" not in rest.decode(), rest.decode()


async def secret_of_owner(home: Installation) -> str:
    """A token of the demo's owner."""
    return (await home.command("token", "create", "demo@example.com", "--name", "test", "--may", "admin")).splitlines()[
        0
    ]


async def eventually(client: httpx.AsyncClient, path: str, fits: Callable[[Any], object]) -> Any:
    """Ask until the answer fits."""
    async with asyncio.timeout(3 * PATIENCE):
        while True:
            answer = (await client.get(path)).json()
            if fits(answer):
                return answer
            await asyncio.sleep(0.1)


def count_of(status: str, tasks: Any) -> int:
    """How many tasks of a page are in a column."""
    return len([one for one in tasks["items"] if one["status"] == status])


def ids_of(tasks: Any) -> set[str]:
    """The ids of the tasks of a page."""
    return {one["id"] for one in tasks["items"]}


def statuses(agents: Any) -> dict[str, str]:
    """Who is there, and how they are."""
    return {agent["name"]: agent["status"] for agent in agents["items"]}


async def pairing(client: httpx.AsyncClient) -> list[str]:
    """The gateways that wait to be paired, as Home says it."""
    return [one["title"] for one in (await client.get("/needs?kind=gateway")).json()["items"]]


async def test_demo_serves_a_live_board_and_wipes_only_its_data(tmp_path: Path) -> None:
    async with installation(tmp_path) as home:
        async with playing(home, "--port", "0") as (url, link):
            await link_signs_in(url, link)
            headers = {"Authorization": f"Bearer {await secret_of_owner(home)}"}
            async with httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=PATIENCE) as client:
                boards = (await client.get("/boards")).json()["items"]
                assert [board["name"] for board in boards] == ["Shop relaunch", "Support desk"]
                tasks = f"/boards/{boards[0]['id']}/tasks"
                await eventually(client, tasks, lambda found: count_of("done", found) >= 4)
                online = ("Atlas", "Juno", "Kit", "Orla", "Pim", HOLDING_AGENT)
                crew = {**dict.fromkeys(online, "online"), SILENT_AGENT: "offline"}
                await eventually(client, "/agents", lambda found: statuses(found) == crew)
                cards = (await client.get(tasks)).json()["items"]
                assert any(card["tags"] and card["due_at"] and card["custom_field_values"] for card in cards)
                assert [one["name"] for one in (await client.get("/board-groups")).json()["items"]] == [story.GROUP[0]]
                assert len((await client.get("/budgets")).json()["items"]) == 2
                assert (await client.get("/users/me/reach")).json()["mail"] is False  # nobody is at these addresses
                needs = (await client.get("/needs?kind=silent")).json()["items"]
                assert [one["agent"]["name"] for one in needs] == [SILENT_AGENT]
                [limit] = (await client.get("/needs?kind=hold")).json()["items"]
                assert limit["agent"]["name"] == HOLDING_AGENT and "mara-laptop" in limit["title"]
                await shows_work_on_code(client, boards, tasks)
                assert await pairing(client) == ["Gateway office-mini (invented) waits to be paired"]
                [gateway] = (await client.get("/gateways")).json()["items"]
                checked = (await client.post(f"/gateways/{gateway['id']}/checks")).json()
                assert (checked["state"], gateway["name"]) == ("pairing", GATEWAY)
                await outlives_a_rude_visitor(client, url, boards)
        await home.command("user", "create", "ada@example.org", "--name", "Ada", "--role", "owner")
        assert "all as written" in await home.command("audit", "verify")
        assert await home.command("demo", "--wipe") == "The demo data is removed.\n"
        listed = await home.command("user", "list")
        assert "ada@example.org" in listed and "example.com" not in listed
        assert "demo" not in await home.command("audit", "verify")


async def shows_work_on_code(client: httpx.AsyncClient, boards: list[Any], tasks: str) -> None:
    """A change with a red check that turns green, a command that waits for a yes, and a task that waits for a time."""
    assert [board["done_needs"] for board in boards] == [["result"], None]
    cards = (await client.get(tasks)).json()["items"]
    [card] = [one for one in cards if one["title"] == "Rewrite the checkout texts"]
    assert len([one for one in cards if one["not_before"]]) == 1
    runs = await eventually(client, f"{tasks}/{card['id']}/runs", lambda found: found["items"][-1]["code"]["reported"])
    handed_in = runs["items"][-1]["code"]
    assert (handed_in["files"], handed_in["reported"]["number"]) == (1, card["number"]) and handed_in["diff_id"]

    def commands(found: Any) -> set[str]:
        asked = [one["payload"].get("session_request") for one in found["items"]]
        return {request["command"] for request in asked if request}

    approvals = await eventually(client, f"/boards/{boards[0]['id']}/approvals?limit=200", commands)
    assert commands(approvals) <= {command for command, _ in code.COMMANDS}


async def outlives_a_rude_visitor(client: httpx.AsyncClient, url: str, boards: list[Any]) -> None:
    """Take an agent and a board away, and ask what has no options: the others go on, and the colleague answers."""
    kit = next(one for one in (await client.get("/agents")).json()["items"] if one["name"] == "Kit")
    for path in (f"/agents/{kit['id']}", f"/boards/{boards[1]['id']}"):
        assert (await client.delete(path)).status_code == 200
    here = f"/boards/{boards[0]['id']}"
    (await client.patch(here, json={"slug": "other"})).raise_for_status()
    hired = (await client.post("/agents", json={"name": "Rude", "board_id": boards[0]["id"]})).json()
    rude, work = {"Authorization": f"Bearer {hired['token']}"}, {"title": "Be rude", "assigned_agent_id": hired["id"]}
    task = (await client.post(f"{here}/tasks", json=work)).json()
    begun = await client.patch(f"{url}/api/v1/agent{here}/tasks/{task['id']}", json=IN_PROGRESS, headers=rude)
    begun.raise_for_status()
    asked = {"content": "What now?", "task_id": task["id"]}
    first, *_ = [
        (await client.post(f"{url}/api/v1/agent{here}/questions", json=asked, headers=rude)).json()
        for _ in range(LEFT + 1)  # the newest are left
    ]
    await eventually(client, f"{here}/questions/{first['id']}", lambda found: found["answer"] in story.ANSWERS)


async def link_signs_in(url: str, link: str) -> None:
    """Follow the printed link as a browser does, and one that was never printed."""
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, follow_redirects=True) as browser:
        assert (await browser.get(link[:-1])).status_code == 404
        assert (await browser.get("/")).url.path != "/"
        home = await browser.get(link)
        assert (home.status_code, home.url.path) == (200, "/") and "Needs you" in home.text


@pytest.mark.parametrize("speed", [10_000, 1])
async def test_colleague_decides_all_but_the_newest_after_a_minute_of_the_demo(speed: int) -> None:
    calls: list[str] = []
    asked = [f"2026-01-01T00:0{minute}:00Z" for minute in (4, 1, 3, 2, 0)]

    class Server:
        async def get(self, path: str, **query: Any) -> Any:
            if path == "/boards":
                return {"items": [{"id": "b"}]}
            if path.endswith("/questions"):
                options = [{"id": "yes"}]
                about = {"content": "Which?", "created_at": "2026-01-01T00:00:30Z", "board_id": "b", "options": options}
                return {"items": [{**about, "id": "q", "task_id": "t"}, {**about, "id": "free", "task_id": None}]}
            other = {"id": "other", "action_type": "data.delete", "created_at": asked[0], "board_id": "b"}
            finish = [{**other, "id": at[14:16], "action_type": "task.finish", "created_at": at} for at in asked]
            return {"items": [other, *finish]}

        async def patch(self, path: str, **body: Any) -> Any:
            assert body["decision"] in story.NOTES
            calls.append(path)

        async def post(self, path: str, **body: Any) -> Any:
            assert body == {"option_id": "yes"}
            calls.append(path)

    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await colleague.decide(cast(Api, Server()), speed, random.Random(1))
    first = ["/boards/b/approvals/00", "/boards/b/questions/q/answers", "/boards/b/approvals/01"] * (speed > 1)
    assert calls[:3] == first
    assert set(calls) == set(first)


async def test_forge_tells_of_a_check_that_fails_and_passes_when_it_runs_again() -> None:
    handed_in = code.code_of(3, "Mend the cart", ["shop"]) | {"reported": None}
    told: list[str] = []

    class Server:
        async def get(self, path: str, **query: Any) -> Any:
            if path.endswith("/webhooks"):
                return {"items": [{"id": "w", "repository": code.REPOSITORY}]}
            return {"items": [{"code": handed_in} if path.endswith("/runs") else {"id": "t", "number": 3}]}

        async def post(self, path: str, **body: Any) -> Any:
            return {"secret": "s"}

        async def call(self, method: str, path: str, **options: Any) -> Any:
            [suite] = [json.loads(options["content"]).get("check_suite")]
            if suite:
                told.append(suite["conclusion"])
                handed_in["reported"] = {"checks": {"success": "passed", "failure": "failed"}[suite["conclusion"]]}

    forge = code.Forge(cast(Api, Server()))
    for expected in (["failure"], ["failure"], ["failure", "success"], ["failure", "success"]):
        await forge.look("/boards/b")
        assert told == expected


async def test_player_begins_anew_until_its_access_ends() -> None:
    faults = [
        Refused(404, "The board was deleted."),
        IndexError(),
        ExceptionGroup("", [ValueError(), Refused(403, "")]),
    ]
    faults.append(ExceptionGroup("", [Refused(404, ""), Gone()]))

    async def act() -> None:
        raise faults.pop(0)

    await colleague.perform("Kit", act, 10_000)
    assert faults == []


@pytest.mark.thorough
async def test_agents_continue_after_a_server_restart(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as first:
        async with playing(home, "--url", first.url):
            owner = {"Authorization": f"Bearer {await secret_of_owner(home)}"}
            assert await first.stop() == 0
            async with home.served(port=first.port) as server, server.client() as client:
                client.headers.update(owner)
                board = (await client.get(f"{API}/boards")).json()["items"][0]
                # Not their number: each minute the colleague archives all but fifteen.
                done = f"{API}/boards/{board['id']}/tasks?status=done&sort=-updated_at&limit=200"
                before = ids_of((await client.get(done)).json())
                await eventually(client, done, lambda found: ids_of(found) - before)
                client.base_url = f"{server.url}{API}"
                assert len(await pairing(client)) == 1  # no server has tried to connect to it


async def test_wrong_database_reports_one_sentence(tmp_path: Path) -> None:
    async with installation(tmp_path) as home, home.served() as server:
        other = tmp_path / "other"
        other.mkdir()
        elsewhere = f"sqlite:///{other / 'file'}"
        await home.command("migrate", DATABASE_URL=elsewhere)
        code, said = await home.run("demo", "--url", server.url, DATABASE_URL=elsewhere)
        assert code == 1 and "uses another database" in said and "Traceback" not in said
        code, said = await home.run("demo", "--url", "http://127.0.0.1:1")
        assert code == 1 and "No Mission Control answers" in said
