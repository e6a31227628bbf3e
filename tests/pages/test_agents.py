"""Agents as pages: the list, a new one with its token, one agent, rotation, deletion."""

import re

from mission_control.accounts.models import Token
from mission_control.agents.models import Agent
from tests.cast import Caller, Cast, events
from tests.pages.visitor import Seen, Visitor, opened, visitor


async def made(ada: Visitor, cast: Cast, **fields: str) -> Seen:
    return await ada.post("/agents/new", {"name": "Lyra", "board_id": str(cast.board.id), **fields})


def secret_in(seen: Seen) -> str:
    found = re.search(r"mca_[\w-]{20,}", seen.text)
    assert found
    return found[0]


async def test_the_list_says_what_every_agent_is_doing(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(f"/agent{cast.task(task)}", {"status": "in_progress"})).ok()
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get("/agents")).is_status(200)
    seen.has("Atlas", "Lead", "Vega", "Working", "#1 Write the report", "Waiting for first check-in", "1 of 4 online")
    seen.lacks("Nova")


async def test_members_get_a_friendly_notice(cast: Cast) -> None:
    cleo, eve, nobody = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.eve), await opened(cast)
    (await cleo.get("/agents")).is_status(200).has("Agents are looked after by admins").lacks("Vega")
    for path in ("/agents/new", "/agents/live", f"/agents/{cast.vega.id}"):
        (await cleo.get(path)).is_status(403)
    (await cleo.post("/agents/new", {"name": "X"})).is_status(403)
    (await eve.get(f"/agents/{cast.vega.id}")).is_status(404)
    assert (await nobody.get("/agents")).leads_to == "/sign-in?next=/agents"


async def test_a_new_agent_shows_its_token_once_with_lines_that_name_a_task(cast: Cast) -> None:
    task = await cast.add_task()
    ada = await visitor(cast.app, cast.ada)
    seen = (await made(ada, cast, role="Librarian", soul="Be kind.")).is_status(200)
    secret = secret_in(seen)
    seen.has("Lyra is ready", "shown only now", "/agent/heartbeat", f"data-first-task>{task['id']}<", "data-copy")
    agent = await Agent.get(name="Lyra")
    assert (agent.identity_profile, agent.soul_template) == ({"role": "Librarian"}, "Be kind.")
    (await Caller(cast.app, {"X-Agent-Token": secret}).get("/agent/healthz")).ok()
    (await ada.get(f"/agents/{agent.id}")).is_status(200).has("Librarian", secret[:10]).lacks(secret)


async def test_without_a_task_the_page_says_to_make_one_and_learns_of_it(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    seen = (await made(ada, cast)).is_status(200).has("no free task yet", ">TASK_ID<")
    agent, lyra = await Agent.get(name="Lyra"), Caller(cast.app, {"X-Agent-Token": secret_in(seen)})
    async with ada.watching(f"/agents/{agent.id}/live?show=steps") as watch:
        task = await cast.add_task()
        assert "no free task yet" not in await watch.until(str(task["id"]))
        watch.text = ""
        await lyra.post("/agent/heartbeat", {})
        assert 'hx-target="#step-1"' in await watch.until("Done")
    (await lyra.patch(f"/agent{cast.task(task)}", {"status": "in_progress", "comment": "Mine."})).ok()
    (await ada.get(f"/agents/{agent.id}")).has("Write the report")


async def test_an_agent_needs_a_name_of_its_own_and_a_board(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    blank = await ada.post("/agents/new", {"name": "", "board_id": "x", "role": "Tester"})
    blank.is_status(422).has("Fill this in.", "Choose one of the options.", 'value="Tester"')
    taken = await made(ada, cast, name="vega", soul="Kept.")
    taken.is_status(409).has("works on this board already", 'value="vega"', "Kept.")
    lead = await made(ada, cast, is_board_lead="true")
    lead.is_status(409).has("has a lead already")
    (await made(ada, cast, board_id=str(cast.foreign_board.id))).is_status(404)
    (await ada.post_from("/agents/new", {"name": "Evil"}, Origin="https://evil.example")).is_status(403)


async def test_an_admin_edits_an_agent(cast: Cast) -> None:
    await Agent.filter(id=cast.vega.id).update(identity_profile={"role": "Old", "emoji": "*"})
    ben = await visitor(cast.app, cast.ben)
    path = f"/agents/{cast.vega.id}/edit"
    (await ben.get(path)).is_status(200).has('value="Old"', 'value="Vega"')
    assert (await ben.post(path, {"name": "Vega II", "role": "New"})).leads_to == f"/agents/{cast.vega.id}"
    agent = await Agent.get(id=cast.vega.id)
    assert (agent.name, agent.identity_profile) == ("Vega II", {"role": "New", "emoji": "*"})
    (await ben.post(path, {"name": "Vega", "soul": "x" * 18_001})).is_status(422).has("at most 18000")
    (await ben.post(path, {"name": "Atlas"})).is_status(409)


async def test_rotation_shows_the_new_token_once_and_revoking_ends_it(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    path = f"/agents/{cast.vega.id}"
    (await ada.post(path + "/tokens", {"overlap_seconds": "-1"})).is_status(422)
    seen = (await ada.post(path + "/tokens", {"overlap_seconds": "600"})).is_status(200).has("The old token goes on")
    secret = secret_in(seen)
    (await cast.vega.get("/agent/healthz")).ok()
    (await ada.get(path)).has("Ends soon", secret[:10]).lacks(secret)
    token = await Token.get(prefix=secret[:10], agent_id=cast.vega.id)
    (await ada.with_htmx.post(f"{path}/tokens/{token.id}/revocations")).is_status(204)
    (await Caller(cast.app, {"X-Agent-Token": secret}).get("/agent/healthz")).refused(401)
    (await ada.post(path + "/tokens", {"overlap_seconds": "0"})).is_status(200)
    (await cast.vega.get("/agent/healthz")).refused(401)


async def test_an_agent_shows_notices_and_what_it_did(cast: Cast) -> None:
    asked = await cast.ask(cast.vega)
    ada = await visitor(cast.app, cast.ada)
    await ada.post(f"/boards/{cast.board.id}/approvals/{asked['id']}/decisions", {"decision": "approved"})
    (await ada.get(f"/agents/{cast.vega.id}")).has("Approval resolved", "Waiting", "Approval requested: publish.")
    (await ada.get("/agents")).has("waiting notices")


async def test_deleting_names_the_consequences(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=str(cast.vega.id))
    ada, cleo = await visitor(cast.app, cast.ada), await visitor(cast.app, cast.cleo)
    path = f"/agents/{cast.vega.id}"
    (await ada.get(path + "/delete")).is_status(200).has("<!doctype html>", "1 open task returns", "tokens end at once")
    (await ada.with_htmx.get(path + "/delete")).has("<dialog", f"#{task['number']}").lacks("<!doctype")
    (await cleo.post(path + "/deletions")).is_status(403)
    assert (await ada.post(path + "/deletions")).leads_to == "/agents"
    (await ada.get(path)).is_status(404)
    assert await events(kind="agent.deleted")


async def test_the_streams_follow_presence(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    async with ada.watching("/agents/live") as everyone, ada.watching(f"/agents/{cast.vega.id}/live") as one:
        await cast.vega.post("/agent/heartbeat", {})
        assert "Online" in await everyone.until('hx-target="[data-online-count]"')
        text = await one.until('hx-target="#agent-events"')
        assert 'hx-target="#agent-status"' in text and "Online" in text
