"""Agents as pages: the list, a new one with its token, one agent, rotation, deletion."""

import re

from mission_control.agents.models import Agent
from tests.agents_on_gateways import add_gateway
from tests.cast import Caller, Cast, events, hire
from tests.statements import counted
from tests.things import NO_GATEWAY
from tests.visitor import Seen, Visitor, visitor


async def made(ada: Visitor, cast: Cast, **fields: str) -> Seen:
    return await ada.post("/agents/new", {"name": "Lyra", "board_id": str(cast.board.id), **fields})


def secret_in(seen: Seen) -> str:
    found = re.search(r"mca_[\w-]{20,}", seen.text)
    assert found
    return found[0]


async def test_list_shows_what_every_agent_is_doing(cast: Cast) -> None:
    task = await cast.add_task()
    (await cast.vega.patch(f"/agent{cast.task(task)}", {"status": "in_progress"})).ok()
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get("/agents")).is_status(200)
    seen.has("Atlas", "Lead", "Vega", "Working", "#1 Write the report", "Waiting for first check-in", "1 of 4 online")
    seen.lacks("Nova")


async def test_members_get_an_explanation(cast: Cast) -> None:
    cleo, eve = await visitor(cast.app, cast.cleo), await visitor(cast.app, cast.eve)
    (await cleo.get("/agents")).is_status(200).has("Admins manage agents").lacks("Vega")
    for path in ("/agents/new", "/agents/live", f"/agents/{cast.vega.id}"):
        (await cleo.get(path)).is_status(403)
    (await eve.get(f"/agents/{cast.vega.id}")).is_status(404)


async def test_new_agent_shows_its_token_once_with_first_steps(cast: Cast) -> None:
    task = await cast.add_task()
    ada = await visitor(cast.app, cast.ada)
    seen = (await made(ada, cast, role="Librarian", soul="Be kind.")).is_status(200)
    secret = secret_in(seen)
    seen.has("Lyra is ready", "shown only now", "http://localhost/client.pyz")
    seen.has(f"data-first-task>{task['id']}<", "data-copy")
    agent = await Agent.get(name="Lyra")
    assert (agent.identity_profile, agent.soul_template) == ({"role": "Librarian"}, "Be kind.")
    (await Caller(cast.app, {"X-Agent-Token": secret}).get("/agent/healthz")).ok()
    (await ada.get(f"/agents/{agent.id}")).is_status(200).has("Librarian", secret[:10]).lacks(secret)
    (await ada.get(f"/agents/{agent.id}/soul")).has("Be kind.")


async def test_first_steps_ask_for_a_task_and_notice_it(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    seen = (await made(ada, cast)).is_status(200).has("no unassigned task yet", ">TASK_ID<")
    agent, lyra = await Agent.get(name="Lyra"), Caller(cast.app, {"X-Agent-Token": secret_in(seen)})
    async with ada.watching(f"/agents/{agent.id}/live?show=steps") as watch:
        task = await cast.add_task()
        assert "no unassigned task yet" not in await watch.until(str(task["id"]))
        watch.text = ""
        await lyra.post("/agent/heartbeat", {})
        assert 'hx-target="#step-1"' in await watch.until("Done")
        (await lyra.patch(f"/agent{cast.task(task)}", {"status": "in_progress", "comment": "Mine."})).ok()
        (await lyra.patch(f"/agent{cast.task(task)}", {"status": "review", "comment": "Done."})).ok()
        watch.text = ""
        asked = {"action_type": "task.finish", "confidence": 90, "lead_reasoning": "Done.", "task_ids": [task["id"]]}
        (await lyra.post(f"/agent/boards/{cast.board.id}/approvals", asked)).ok()
        said = await watch.until("Decide on Home")
        assert "no unassigned task yet" not in said and "TASK_ID" not in said
    (await ada.get(f"/agents/{agent.id}")).has("Write the report")


async def test_agent_needs_a_unique_name_and_a_board(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    blank = await ada.post("/agents/new", {"name": "", "board_id": "x", "role": "Tester"})
    blank.is_status(422).has("Fill this in.", "Choose one of the options.", 'value="Tester"')
    taken = await made(ada, cast, name="vega", soul="Kept.")
    taken.is_status(409).has("works on this board already", 'value="vega"', "Kept.")
    lead = await made(ada, cast, is_board_lead="true")
    lead.is_status(409).has("has a lead already")
    (await made(ada, cast, board_id=str(cast.foreign_board.id))).is_status(404)


async def test_admin_edits_an_agent(cast: Cast) -> None:
    await Agent.filter(id=cast.vega.id).update(identity_profile={"role": "Old", "emoji": "*"})
    ben = await visitor(cast.app, cast.ben)
    path = f"/agents/{cast.vega.id}/edit"
    (await ben.get(path)).is_status(200).has('value="Old"', 'value="Vega"')
    assert (await ben.post(path, {"name": "Vega II", "role": "New"})).leads_to == f"/agents/{cast.vega.id}"
    agent = await Agent.get(id=cast.vega.id)
    assert (agent.name, agent.identity_profile) == ("Vega II", {"role": "New", "emoji": "*"})
    (await ben.post(path, {"name": "Vega", "identity": "x" * 18_001})).is_status(422).has("at most 18000")
    (await ben.post(path, {"name": "Atlas", "role": "Typed"})).is_status(409).has(
        'value="Typed"', "works on this board"
    )
    (await ben.with_htmx.get(path)).is_status(200).has("<dialog", 'value="Vega II"').lacks("<!doctype")
    (await ben.with_htmx.post(path, {"name": ""})).is_status(422).has("Fill this in.").lacks("<dialog")
    (await ben.with_htmx.post(path, {"name": "Vega"})).is_status(204)


async def test_admin_says_how_an_agent_reports_and_moves_it(cast: Cast) -> None:
    await Agent.filter(id=cast.vega.id).update(heartbeat_config={"every": "9m", "target": "last"})
    ben = await visitor(cast.app, cast.ben)
    path = f"/agents/{cast.vega.id}/edit"
    page = (await ben.get(path)).has("Every 9m", "Every 10 minutes", "Communication style", str(cast.other_board.id))
    page.lacks(str(cast.foreign_board.id))
    identity = {"communication_style": "Direct", "emoji": "🧭"}
    moved = {"name": "Vega", "every": "1h", "board_id": str(cast.other_board.id), **identity}
    (await ben.post(path, moved)).is_status(303)
    agent = await Agent.get(id=cast.vega.id)
    assert (agent.board_id, agent.heartbeat_config) == (cast.other_board.id, {"every": "1h", "target": "last"})
    assert agent.identity_profile == identity
    (await ben.post(path, {**moved, "every": "soon"})).is_status(422)
    (await ben.post(path, {**moved, "board_id": str(cast.foreign_board.id)})).is_status(404)
    made_of = {"name": "Sol", "board_id": str(cast.board.id), "every": "30m", **identity}
    (await ben.post("/agents/new", made_of)).is_status(200)
    sol = await Agent.get(name="Sol")
    assert (sol.heartbeat_config, sol.identity_profile) == ({"every": "30m"}, identity)


async def test_agent_page_shows_notices_and_activity(cast: Cast) -> None:
    asked = await cast.ask(cast.vega)
    ada = await visitor(cast.app, cast.ada)
    await ada.post(f"/boards/{cast.board.id}/approvals/{asked['id']}/decisions", {"decision": "approved"})
    (await ada.get(f"/agents/{cast.vega.id}")).has("Approved: Publish", "asked for approval:", ">publish</a>")
    (await ada.get("/agents")).has("1 waiting notice")


async def test_deleting_names_the_consequences(cast: Cast) -> None:
    task = await cast.add_task(assigned_agent_id=str(cast.vega.id))
    ada = await visitor(cast.app, cast.ada)
    path = f"/agents/{cast.vega.id}"
    (await ada.get(path + "/delete")).is_status(200).has(
        "<!doctype html>", "1 open task returns", "tokens are revoked immediately"
    )
    (await ada.with_htmx.get(path + "/delete")).has("<dialog", f"#{task['number']}").lacks("<!doctype")
    assert (await ada.post(path + "/deletions")).leads_to == "/agents"
    (await ada.get(path)).is_status(404)
    assert await events(kind="agent.deleted")


async def test_streams_update_presence(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    async with ada.watching("/agents/live") as everyone, ada.watching(f"/agents/{cast.vega.id}/live") as one:
        await cast.vega.post("/agent/heartbeat", {})
        assert "Online" in await everyone.until('hx-target="[data-online-count]"')
        text = await one.until('hx-target="#agent-tab"')
        assert 'hx-target="#agent-head"' in text and "Online" in text


async def test_list_counts_notices_and_todays_runs(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    (await ada.get("/agents")).has("no runs today").lacks("waiting notice")
    for _ in range(2):
        await cast.add_task(assigned_agent_id=str(cast.vega.id))
    async with ada.watching("/agents/live") as watch:
        (await cast.vega.post(f"/agent{cast.home}/claims", {})).ok()
        await watch.until("1 run today")
        (await cast.vega.post("/agent/usage", {"input_tokens": 12_000, "output_tokens": 345})).ok()
        await watch.until("1 run · 12.3k tokens today")
    (await ada.get("/agents")).has("2 waiting notices", "#1 Write the report")


async def test_empty_list_explains_how_to_connect(cast: Cast) -> None:
    eve = await visitor(cast.app, cast.eve)
    (await eve.get("/agents")).has("Nova").lacks("How an agent connects")
    (await cast.eve.delete(f"/agents/{cast.nova.id}")).ok()
    seen = await eve.get("/agents")
    seen.has("No agents yet", "How an agent connects", "curl -fsSO http://localhost/client.pyz", "$TOKEN")
    seen.has("claude mcp add --transport http mission-control http://localhost/mcp", 'href="/docs"', "examples")


async def test_long_list_uses_the_same_statements(cast: Cast) -> None:
    ada = await visitor(cast.app, cast.ada)
    costs = []
    for more in (0, 12):
        for n in range(more):
            agent = await hire(cast.app, cast.ada, cast.other_board, f"Agent {n}")
            task = (await cast.ada.post(f"/boards/{cast.other_board.id}/tasks", {"title": "Work"})).ok()
            (await agent.patch(f"/boards/{cast.other_board.id}/tasks/{task['id']}", {"status": "in_progress"})).ok()
            (await agent.post("/agent/usage", {"input_tokens": 1})).ok()
        with counted() as found:
            (await ada.get("/agents")).is_status(200)
        costs.append(len(found))
    assert costs[0] == costs[1]


async def test_deletion_says_what_becomes_of_it_on_its_gateway(cast: Cast) -> None:
    gateway = await add_gateway(cast.organization.id, cast.board, holder=None, state="unreachable")
    ada = await visitor(cast.app, cast.ada)
    path, vega = f"/agents/{cast.vega.id}/delete", Agent.filter(id=cast.vega.id)
    (await ada.get(path)).lacks("gateway are deleted")
    await vega.update(gateway_id=gateway.id, gateway_agent_id="mc-vega")
    (await ada.get(path)).has("Its files and conversations on its gateway are deleted.")
    await vega.update(is_adopted=True)
    (await ada.get(path)).has("It stays on its gateway").lacks("gateway are deleted")


async def test_main_agents_of_gateways_stand_without_a_board(cast: Cast) -> None:
    (await cast.ada.post("/gateways", NO_GATEWAY)).ok()
    main = await Agent.get(board_id=None)
    ada = await visitor(cast.app, cast.ada)
    seen = (await ada.get("/agents")).has("agents-of-no-board", "No board", main.name, f"/agents/{main.id}")
    assert f"/agents/{main.id}/work-state" not in seen.text
