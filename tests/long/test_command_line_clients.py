"""Claude Code, Codex and opencode, the command line clients themselves, with a model on loopback that calls our tools.

They weigh 1 GB, so `make long` runs them and CI does not.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.live.crew import Crew, crew
from tests.live.servers import API, Installation, Server
from tests.mcp.fake_model import SHELL, FakeModel, served
from tests.mcp.node_clients import PATIENCE, QUIET_CLAUDE, finish
from tests.taught import calls_in

pytestmark = pytest.mark.long

CLIENTS = ("claude", "codex", "opencode")
CODEX = """
model = "fake"
model_provider = "fake"
approval_policy = "never"

[model_providers.fake]
name = "fake"
base_url = "{model}/v1"
env_key = "FAKE_KEY"
wire_api = "responses"

[mcp_servers.mission-control]
url = "{server}/mcp"
bearer_token_env_var = "MISSION_CONTROL_TOKEN"
default_tools_approval_mode = "approve"
"""


@pytest.fixture(scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One installation for both clients."""
    folder = tmp_path_factory.mktemp("clients")
    return Installation(folder, f"sqlite:///{folder}/clients.sqlite3")


@pytest.fixture(scope="module")
async def server(here: Installation) -> AsyncIterator[Server]:
    """One server for both clients."""
    async with here.served() as running:
        yield running


async def work(
    programs: Path, client: str, server: Server, token: str, model: FakeModel, home: Path, *, by_shell: bool = False
) -> None:
    """Let a client work with a token until its model has no more to do; `by_shell`: without tools of ours."""
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    command: tuple[str, ...]
    async with served(model) as url:
        if client == "claude":
            headers = {"Authorization": f"Bearer {token}"}
            servers = {"mission-control": {"type": "http", "url": f"{server.url}/mcp", "headers": headers}}
            (home / "mcp.json").write_bytes(orjson.dumps({"mcpServers": {} if by_shell else servers}))
            environment |= {"ANTHROPIC_BASE_URL": url, **QUIET_CLAUDE}
            tools = "Bash" if by_shell else "mcp__mission-control"
            allowed = ("--strict-mcp-config", "--allowedTools", tools, "--output-format", "json")
            command = ("-p", "Work.", "--mcp-config", str(home / "mcp.json"), *allowed)
        elif client == "opencode":
            board = {"type": "remote", "url": f"{server.url}/mcp", "headers": {"Authorization": f"Bearer {token}"}}
            wanted = {
                "model": "anthropic/claude-sonnet-4-5",
                "autoupdate": False,
                "provider": {"anthropic": {"options": {"baseURL": f"{url}/v1", "apiKey": "none"}}},
                "mcp": {} if by_shell else {"mission-control": board | {"oauth": False}},
            }
            (home / "opencode.json").write_bytes(orjson.dumps(wanted))
            environment |= {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}
            command = ("run", "Work.")
        else:
            config = CODEX.format(model=url, server=server.url)
            if by_shell:  # its sandbox has no network
                config = 'sandbox_mode = "danger-full-access"\n' + config.partition("[mcp_servers")[0]
            (home / "config.toml").write_text(config)
            environment |= {"CODEX_HOME": str(home), "FAKE_KEY": "none", "MISSION_CONTROL_TOKEN": token}
            command = ("exec", "--skip-git-repo-check", "--json", "Work.")
        await finish(programs / client, *command, home=home, environment=environment)
    assert len(model.answers) == len(model.plan), (model.answers, model.unknown)


@pytest.mark.parametrize("client", CLIENTS)
async def test_agent_hands_in_and_person_approves(
    programs: Path, here: Installation, server: Server, tmp_path: Path, client: str
) -> None:
    made = await crew(server, require_approval_for_done=True)
    task_id = await made.add_task("Point the mirror")
    held: dict[str, Any] = {"task_id": "$task.id", "fence": "$lease.fence"}
    agent = FakeModel(
        [
            ("next", {"wait_seconds": 0}),
            ("comment", {**held, "message": "The lock is stiff."}),
            ("finish", {**held, "summary": "It points.", "checked": "By night."}),
        ]
    )
    await work(programs, client, server, made.vega.token, agent, tmp_path / "agent")
    assert (await made.task(task_id))["status"] == "review"

    email = f"{client}@example.org"
    await here.command("user", "create", email, "--name", "Ada", "--role", "owner", "--organization", "Personal")
    token = (await here.command("token", "create", email)).splitlines()[0]
    person = FakeModel(
        [
            ("list_boards", {}),
            ("create_task", {"board_id": made.board_id, "title": "Oil the lock"}),
            ("list_requests", {"board_id": made.board_id}),
            ("decide_approval", {"approval_id": "$requests.0.id", "decision": "approved"}),
        ]
    )
    await work(programs, client, server, token, person, tmp_path / "person")
    assert made.board_id in {one["id"] for one in person.answers[0]["boards"]}
    assert (await made.task(task_id))["status"] == "done"
    tasks = (await made.ask("GET", made.tasks))["items"]
    assert {one["title"]: one["status"] for one in tasks} == {"Point the mirror": "done", "Oil the lock": "inbox"}
    comments = (await made.ask("GET", f"{made.tasks}/{task_id}/comments"))["items"]
    assert "The lock is stiff." in {one["message"] for one in comments}
    [approval] = (await made.ask("GET", f"{API}/boards/{made.board_id}/approvals"))["items"]
    assert approval["resolved_by"]["name"] == "Ada"


# What /llms.txt has in its block of bash becomes a file, as a model would keep it between its commands.
LEARN = """curl -sS {url}/llms.txt > llms.txt; grep -c . llms.txt
sed -n '/^```bash/,/^```/p' llms.txt | grep -v '^```' | sed "s/^TOKEN=.*/TOKEN={token}/" > board.sh"""
NEXT = """. ./board.sh
C=$(call POST /agent/next '{"wait_seconds": 600, "keep_alive": true, "lease_seconds": 900}'); echo "$C"
jq -r '"ID=\\(.task.id); FENCE=\\(.lease.fence)"' <<<"$C" > held.sh; echo 'T=$B/tasks/$ID' >> held.sh"""
HELD = ". ./board.sh; . ./held.sh; "
DAY = (
    NEXT,
    HELD + "call GET $B; call GET $T/comments; call GET $T/runs",
    HELD + """call POST $T/comments '{"message": "The lock is stiff."}'""",
    HELD + """call POST $T/lease '{"fence": '$FENCE', "lease_seconds": 1800}'""",
    HELD
    + """call POST /agent/reports '{"task_id": "'$ID'", "items": [{"title": "Oiled the lock"}],
"usage": {"input_tokens": 900, "output_tokens": 50, "cost_usd": 0.01}}'""",
    HELD
    + """call POST $B/approvals '{"action_type": "deploy", "lead_reasoning": "Oil it", "confidence": 90,
"task_ids": ["'$ID'"], "park": true}'""",
    NEXT,
    HELD
    + """call POST $B/questions '{"content": "North or south?", "decide_in": 600, "otherwise": "option", "park": true,
"task_id": "'$ID'", "otherwise_option_id": "1", "options": [{"label": "North"}, {"label": "South"}]}'""",
    NEXT,
    HELD + """call POST $B/memory '{"content": "The lock needs oil.", "tags": ["lock"]}'""",
    HELD + """call POST $T/completions '{"fence": '$FENCE', "summary": "It points.", "input_tokens": 5200}'""",
    NEXT,
    HELD + """call POST $T/completions '{"fence": '$FENCE', "summary": "It shines, too.", "output_tokens": 800}'""",
)


async def decide(made: Crew, told: list[str]) -> None:
    """Be the person: approve the step, answer, send the first hand-in back, approve the second."""
    board = f"{API}/boards/{made.board_id}"
    while len(told) < 4:
        for one in (await made.ask("GET", f"{board}/approvals?status=pending"))["items"]:
            is_first = one["action_type"] == "task.finish" and "back" not in told
            decision = {"decision": "changes_requested", "note": "Shinier."} if is_first else {"decision": "approved"}
            await made.ask("POST", f"{board}/approvals/{one['id']}/decisions", decision)
            told.append("back" if is_first else one["action_type"])
        for one in (await made.ask("GET", f"{board}/questions?state=open"))["items"]:
            await made.ask("POST", f"{board}/questions/{one['id']}/answers", {"option_id": "2"})
            told.append("answer")
        await asyncio.sleep(0.2)


@pytest.mark.parametrize("client", CLIENTS)
async def test_agent_does_a_day_with_nothing_but_what_llms_txt_teaches(
    programs: Path, server: Server, tmp_path: Path, client: str
) -> None:
    made = await crew(server, require_approval_for_done=True)
    task_id = await made.add_task("Point the mirror")
    async with server.client() as anybody:
        text = (await anybody.get("/llms.txt")).text
    assert {one[:2] for one in calls_in("\n".join(DAY))} <= {one[:2] for one in calls_in(text)}

    learn = LEARN.replace("{url}", server.url).replace("{token}", made.vega.token)
    agent = FakeModel([(SHELL, {"command": command}) for command in (learn, *DAY)])
    told: list[str] = []
    person = asyncio.create_task(decide(made, told))
    await work(programs, client, server, made.vega.token, agent, tmp_path / "agent", by_shell=True)
    await asyncio.wait_for(person, PATIENCE)
    print(client, "\n--\n".join(agent.printed), sep="\n")

    assert told == ["deploy", "answer", "back", "task.finish"]
    assert (await made.task(task_id))["status"] == "done"
    runs = (await made.ask("GET", f"{API}/boards/{made.board_id}/tasks/{task_id}/runs"))["items"]
    assert [(one["state"], one["summary"]) for one in runs] == [
        ("completed", "It shines, too."),
        ("completed", "It points."),
    ]
    comments = [one["message"] for one in (await made.ask("GET", f"{made.tasks}/{task_id}/comments"))["items"]]
    assert "The lock is stiff." in comments and "Shinier." in comments
    assert "Shinier." in agent.printed[-2] and "answered: South" in agent.printed[9]
    assert '"directive":"continue"' in agent.printed[5] and '"kind":"resume"' in agent.printed[7]


@pytest.mark.parametrize("client", CLIENTS)
async def test_agent_asks_leaves_and_comes_back_in_six_calls(
    programs: Path, server: Server, tmp_path: Path, client: str
) -> None:
    made = await crew(server)
    asking = await made.add_task("Redirect the old shop", priority="high")
    other = await made.add_task("Sweep the floor", priority="low")
    held: dict[str, Any] = {"task_id": "$task.id", "fence": "$lease.fence"}
    agent = FakeModel(
        [
            ("next", {"wait_seconds": 0}),
            ("ask", {**held, "question": "Where to?", "wait_seconds": 0}),
            ("next", {"wait_seconds": 0}),
            ("finish", {**held, "summary": "Swept."}),
            ("next", {"wait_seconds": 50}),
            ("finish", {**held, "summary": "Redirected.", "checked": "All 12 addresses."}),
        ]
    )

    async def answer() -> None:
        while (await made.task(other))["status"] == "inbox":
            await asyncio.sleep(0.1)
        board = f"{API}/boards/{made.board_id}"
        [asked] = (await made.ask("GET", f"{board}/questions?state=open"))["items"]
        await made.ask("POST", f"{board}/questions/{asked['id']}/answers", {"answer": "To /shop."})

    person = asyncio.create_task(answer())
    await work(programs, client, server, made.vega.token, agent, tmp_path / "agent")
    await person
    assert [one["kind"] for one in agent.answers if "held" in one] == ["work", "work", "resume"]
    assert "To /shop." in agent.answers[4]["why"]["text"]
    assert [(await made.task(one))["status"] for one in (asking, other)] == ["review", "review"]
