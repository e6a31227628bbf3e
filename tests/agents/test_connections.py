"""Connections: who reads and ends them, what their programs report, and that use renews their tokens."""

from datetime import timedelta

import pytest

from mission_control.agents.models import Agent, Connection
from mission_control.agents.schemas import TokenCreate
from mission_control.agents.tokens import rotate_token
from mission_control.core import times
from mission_control.http.authentication import CONNECTED_FOR, write_down
from mission_control.people.models import Token
from mission_control.runs.models import AgentSession
from tests.cast import Caller, Cast, events, head
from tests.devices import connected
from tests.statements import counted

pytestmark = pytest.mark.dialect

CHECK = {"name": "Timeline", "state": "ok", "text": "9 of 9 hooks answered"}


async def test_people_read_and_end_their_own_connections_and_admins_all(cast: Cast) -> None:
    program, made = await connected(cast, cast.cleo, host_label="cleo-laptop")
    path = f"/connections/{made['connection_id']}"
    for person in (cast.cleo, cast.ada, cast.ben):
        found = (await person.get("/connections")).ok()
        assert [one["id"] for one in found["items"]] == [made["connection_id"]]
        read = (await person.get(path)).ok()
        assert (read["user_name"], read["host_label"], read["client"]) == ("Cleo", "cleo-laptop", "claude-code")
        assert read["agent_name"] == "Claude Code (Cleo)" and read["ended_at"] is None
    for person in (cast.dan, cast.eve):
        assert (await person.get("/connections")).ok()["items"] == []
        (await person.get(path)).refused(404)
        (await person.delete(path)).refused(404)
    before = await head(cast)
    (await cast.ben.delete(path)).ok()
    (await cast.ben.delete(path)).ok()
    (await program.get("/agent/healthz")).refused(401)
    [event] = await events(before, kind="agent.disconnected")
    assert event.actor_id == cast.ben.id and made["agent"]["name"] in event.message
    assert (await cast.ada.get("/connections", query_string={"is_live": "true"})).ok()["items"] == []
    [ended] = (await cast.ada.get("/connections", query_string={"is_live": "false"})).ok()["items"]
    assert ended["ended_at"] is not None


async def test_program_reads_reports_and_ends_its_own_connection(cast: Cast) -> None:
    program, made = await connected(cast)
    other, _ = await connected(cast, agent=f"{made['board']['id']}:{made['agent']['id']}", host_label="desktop")
    assert (await program.get("/connect/connection")).ok()["id"] == made["connection_id"]
    sent = {"client_version": "2.1.332", "checks": [CHECK, {"name": "Cost", "state": "failed", "text": "mca_secret1"}]}
    read = (await program.call("PUT", "/connect/connection", sent)).ok()
    assert (read["client_version"], [one["state"] for one in read["checked"]]) == ("2.1.332", ["ok", "failed"])
    assert "secret1" not in str(read) and read["checked"][0]["at"].endswith("Z")
    (await program.call("PUT", "/connect/connection", {})).ok()  # what is left out stays
    assert (await Connection.get(id=made["connection_id"])).client_version == "2.1.332"
    (await program.delete("/connect/connection")).ok()
    (await program.get("/connect/connection")).refused(401)
    (await other.get("/connect/connection")).ok()


@pytest.mark.once
async def test_own_token_of_an_agent_has_no_connection(cast: Cast) -> None:
    for method in ("GET", "DELETE"):
        assert "no connection" in (await cast.vega.call(method, "/connect/connection")).refused(403)


@pytest.mark.once
async def test_scope_connect_reports_and_does_nothing_else(cast: Cast) -> None:
    program, made = await connected(cast)
    await Token.filter(connection_id=made["connection_id"]).update(scopes=["connect"])
    (await program.get("/connect/connection")).ok()
    refused = (await program.get("/agent/healthz")).refused(403)
    assert (refused["code"], refused["needed"]) == ("token_scope_missing", "read")
    await Token.filter(connection_id=made["connection_id"]).update(scopes=["read"])
    assert (await program.get("/connect/connection")).refused(403)["needed"] == "connect"


@pytest.mark.once
async def test_token_of_an_agent_may_be_for_reports_only(cast: Cast) -> None:
    row = await Agent.get(id=cast.vega.id).select_related("board")
    made = await rotate_token(await cast.ada.actor(), row, TokenCreate(scopes=["connect"], overlap_seconds=600))
    reporter = Caller(cast.app, {"X-Agent-Token": made.secret})
    assert (await reporter.get("/agent/healthz")).refused(403)["needed"] == "read"
    (await reporter.get("/connect/connection")).refused(403)


async def test_use_renews_the_token_once_a_day(cast: Cast) -> None:
    program, made = await connected(cast)
    token = await Token.get(connection_id=made["connection_id"])
    (await program.get("/agent/healthz")).ok()
    await write_down()
    assert (await Token.get(id=token.id)).expires_at == token.expires_at
    soon = times.clock_now() + timedelta(days=3)
    await Token.filter(id=token.id).update(expires_at=soon)
    await Token.filter(agent_id=cast.vega.id).update(expires_at=soon)
    (await program.get("/agent/healthz")).ok()
    (await cast.vega.get("/agent/healthz")).ok()
    await write_down()
    renewed = (await Token.get(id=token.id)).expires_at
    assert times.clock_now() + CONNECTED_FOR - timedelta(minutes=1) < renewed <= times.clock_now() + CONNECTED_FOR
    assert (await Token.get(agent_id=cast.vega.id)).expires_at == soon
    (await program.get("/agent/healthz")).ok()
    await write_down()
    assert (await Token.get(id=token.id)).expires_at == renewed


async def test_renewal_costs_requests_no_statement(cast: Cast) -> None:
    program, made = await connected(cast)
    (await program.get("/agent/healthz")).ok()
    with counted() as usual:
        (await program.get("/agent/healthz")).ok()
    await Token.filter(connection_id=made["connection_id"]).update(expires_at=times.clock_now() + timedelta(days=3))
    with counted() as renewing:
        (await program.get("/agent/healthz")).ok()
    assert len(usual) == len(renewing)


async def test_token_that_ended_is_not_renewed(cast: Cast) -> None:
    program, made = await connected(cast)
    soon = times.clock_now() + timedelta(days=3)
    await Token.filter(connection_id=made["connection_id"]).update(expires_at=soon)
    (await program.get("/agent/healthz")).ok()
    (await cast.ada.delete(f"/connections/{made['connection_id']}")).ok()
    await write_down()
    assert (await Token.get(connection_id=made["connection_id"])).expires_at == soon


async def test_session_belongs_to_the_connection_that_reports_it(cast: Cast) -> None:
    program, made = await connected(cast, host_label="mara-laptop")
    session = {"external_id": "s1", "client": "claude-code"}
    (await program.post("/agent/reports", {"session": session, "items": [{"key": "1", "title": "Ran tests"}]})).ok()
    found = await AgentSession.get(external_id="s1")
    assert (str(found.connection_id), found.host_label) == (made["connection_id"], "mara-laptop")
    (await cast.vega.post("/agent/reports", {"items": [{"key": "1", "title": "Read"}]})).ok()
    assert (await AgentSession.get(agent_id=cast.vega.id)).connection_id is None


async def test_ending_all_tokens_of_a_person_ends_their_connections(cast: Cast) -> None:
    mine, _ = await connected(cast, cast.cleo)
    other, _ = await connected(cast)
    before = await head(cast)
    (await cast.cleo.post("/users/me/endings")).ok()
    (await mine.get("/agent/healthz")).refused(401)
    (await other.get("/agent/healthz")).ok()
    assert len(await events(before, kind="agent.disconnected")) == 1
