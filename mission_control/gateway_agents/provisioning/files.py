"""The files of an agent on its gateway, with its token: written for our own agents, one block added for linked ones."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from quart import Quart
from tortoise.expressions import Q

from mission_control.agents.models import Agent
from mission_control.core import extensions, times
from mission_control.core.actor import Actor, system
from mission_control.core.secrets import decrypt, encrypt
from mission_control.core.values import fingerprint
from mission_control.events.commands import command
from mission_control.events.unit_of_work import record
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning.gateway_agent import call, is_missing, read_file
from mission_control.gateway_agents.provisioning.progress import LeaseLost, Run, StepFailed
from mission_control.gateway_agents.provisioning.workspace import FILES, WorkspaceFacts, workspace_files, written
from mission_control.gateways.models import Gateway
from mission_control.gateways.protocol.errors import GatewayError
from mission_control.http import lookups
from mission_control.people.accounts.credentials import make_agent_token
from mission_control.people.models import Token


@dataclass(frozen=True, slots=True)
class Installation:
    """The key that encrypts agents' tokens, the address at which agents find the API, and the time for a check-in."""

    key: str
    base_url: str
    checkin: timedelta

    def seal(self, secret: str) -> str:
        return encrypt(secret, self.key)

    def unseal(self, sealed: str) -> str:
        return decrypt(sealed, self.key)


_here: Installation | None = None


@extensions.prepare
def prepare(app: Quart) -> None:
    global _here
    settings = app.config["SETTINGS"]
    # Without BASE_URL agents on the same machine still find the server.
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    base = settings.base_url or f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    _here = Installation(app.config["SECRET_KEY"], base.rstrip("/"), timedelta(seconds=settings.agent_checkin_seconds))


def here() -> Installation:
    """Raise RuntimeError before the application was made."""
    if _here is None:
        raise RuntimeError("The application has not been made yet.")
    return _here


# A running turn keeps the token that it began with; it ends this long after the new one is in the agent's files.
OVERLAP = timedelta(hours=1)
UNTIL_WRITTEN = timedelta(days=30)


# The token in an agent's files: created once, kept encrypted, replaced only when that is asked for.
async def make_workspace_token(agent: Agent) -> UUID:
    """Inside a command: give an agent a token for its files and return the token's id.

    Earlier tokens stay valid for now: `end_replaced` ends them once the new one is written.
    """
    made = await make_agent_token(agent.id, overlap_seconds=int(UNTIL_WRITTEN.total_seconds()), name="Workspace files")
    agent.workspace_token = here().seal(made.secret)
    await agent.save(update_fields=["workspace_token"])
    if made.replaced_until is not None:
        record(
            "agent.token_rotated", agent, f"Token rotated: {agent.name}.", token_id=made.row.id, prefix=made.row.prefix
        )
    return made.row.id


@command("gateway.sync_templates")
async def keep_found_token(actor: Actor, gateway: Gateway, agent: Agent, secret: str) -> None:
    """Keep a valid token that was found in an agent's files."""
    agent.workspace_token = here().seal(secret)
    await Agent.filter(id=agent.id, workspace_token=None).update(workspace_token=agent.workspace_token)


async def is_token_of(agent_id: UUID, secret: str, *, lasting: timedelta = timedelta()) -> bool:
    end = times.clock_now() + lasting
    live = Token.filter(Q(expires_at=None) | Q(expires_at__gt=end), agent_id=agent_id, revoked_at=None)
    return await live.filter(fingerprint=fingerprint(secret)).exists()


async def write(run: Run) -> str:
    """Write the files that are due; return how many."""
    await ensure_token(system(run.job.organization_id), run)
    listing = await run.call("agents.files.list", agentId=run.key)
    files = {file["name"]: file for file in listing.objects("files") if "name" in file}
    # What a gateway accepts is what it lists; one that lists nothing is asked for the files that all of them have.
    names = [name for name in FILES if name in files] or ["AGENTS.md", "SOUL.md", "USER.md", "MEMORY.md"]
    facts = await facts_of(run)
    existing = {name for name, file in files.items() if not file.get("missing")}
    due = _due(run, facts, names, existing)
    texts = workspace_files(facts, names=names)
    for name in due:
        await _write_file(run, name, texts[name])
    await settle_made_token(run)
    left = sorted(set(names) - set(due) & existing)
    return f"{len(due)} written" + (f", {', '.join(left)} kept as it is." if left else ".")


def _due(run: Run, facts: WorkspaceFacts, names: list[str], existing: set[str]) -> tuple[str, ...]:
    options = {name: bool(run.job.options.get(name)) for name in ("overwrite", "force_bootstrap")}
    # A worker and a main agent have nothing to do once: their first instructions stand in AGENTS.md.
    own = [name for name in names if name != "BOOTSTRAP.md" or facts.role == "lead"]
    return written(own, facts.role, existing, is_update=not run.is_first, **options)


async def _write_file(run: Run, name: str, content: str) -> None:
    try:
        await run.call("agents.files.set", agentId=run.key, name=name, content=content)
    except GatewayError as error:
        if error.is_retryable:
            raise
        raise StepFailed(f"{name} was refused: {error.message}") from error


async def facts_of(run: Run) -> WorkspaceFacts:
    assert run.agent.workspace_token is not None
    return WorkspaceFacts(
        agent=run.agent, board=run.board, person=await run.person(), base_url=here().base_url,
        token=here().unseal(run.agent.workspace_token), workspace_root=run.gateway.workspace_root,
    )  # fmt: skip


@command("provisioning.run")
async def ensure_token(actor: Actor, run: Run) -> None:
    """Create a token when the agent's is missing or ends, or another one was asked for and is not made yet."""
    wants_another = bool(run.job.options.get("rotate_token")) and "token_id" not in run.job.target
    if run.agent.workspace_token is not None and not wants_another:
        if await is_token_of(run.agent.id, here().unseal(run.agent.workspace_token), lasting=timedelta(days=1)):
            return
    if await ProvisioningJob.filter(id=run.job.id, leased_by=run.job.leased_by).select_for_update().first() is None:
        raise LeaseLost
    made = await make_workspace_token(run.agent)
    run.job.target = run.job.target | {"token_id": str(made)}
    await ProvisioningJob.filter(id=run.job.id).update(target=run.job.target)


async def settle_made_token(run: Run) -> None:
    """Let the tokens end that a new one replaced, now that it is in the agent's files."""
    if (made := run.job.target.get("token_id")) is not None:
        await end_replaced(system(run.job.organization_id), run.agent.id, UUID(made))


@command("provisioning.run")
async def end_replaced(actor: Actor, agent_id: UUID, token_id: UUID) -> None:
    """End the other tokens of an agent after the overlap."""
    moment = times.clock_now() + OVERLAP
    others = Token.filter(agent_id=agent_id, revoked_at=None).exclude(id=token_id)
    await others.filter(Q(expires_at=None) | Q(expires_at__gt=moment)).update(expires_at=moment)
    lookups.recheck_streams()


BEGIN, END = "<!-- mission-control:begin -->", "<!-- mission-control:end -->"
TRIES = 4
LONGEST = 20_000


# What a linked agent gets: one marked block at the end of AGENTS.md, and one in MEMORY.md if the person agrees.
# Everything else in its files stays as it is, also when the agent writes them at the same time.
async def add(run: Run) -> str:
    await ensure_token(system(run.job.organization_id), run)
    facts = await facts_of(run)
    board_id = f"BOARD_ID={facts.board.id}\n" if facts.board else ""
    credentials = f"""{BEGIN}
## Mission Control
You also work on a board of Mission Control. Send every request with the header X-Agent-Token.
BASE_URL={facts.base_url}
AUTH_TOKEN={facts.token}
AGENT_ID={facts.agent.id}
{board_id}\
Say that you are there: curl -sS -X POST "$BASE_URL/api/v1/agent/heartbeat" -H "X-Agent-Token: $AUTH_TOKEN"
Learn the rest: curl -sS "$BASE_URL/llms.txt"
{END}"""
    await _change(run.gateway.id, run.key, "AGENTS.md", credentials)
    await settle_made_token(run)
    if not run.job.options.get("remember"):
        return "One block in AGENTS.md."
    board_name = " ".join(facts.board.name.split()) if facts.board else ""
    memory = f"""{BEGIN}
I work on the board {board_name} of Mission Control. My address and token for it are in AGENTS.md.
A message comes when there is work for me. I hand in what I did with evidence.
{END}"""
    await _change(run.gateway.id, run.key, "MEMORY.md", memory)
    return "One block in AGENTS.md, one in MEMORY.md."


async def remove(job: ProvisioningJob) -> str:
    """Take back what was added to a linked agent, which stays itself. An agent that is gone has nothing."""
    try:
        for name in ("AGENTS.md", "MEMORY.md"):
            await _change(job.gateway_id, job.target["gateway_agent_id"], name, None)
    except GatewayError as error:
        if not is_missing(error):
            raise
        return "The agent is gone."
    return ""


async def _change(gateway_id: UUID, key: str, name: str, block: str | None) -> None:
    """Put a block at the end of a file in place of an earlier one; nobody's change in between is lost."""
    for remaining in reversed(range(TRIES)):
        text, digest = await read_file(gateway_id, key, name)
        before = text or ""
        changed = with_block(before, block)
        if changed == before:
            return
        if len(before) <= LONGEST < len(changed):
            raise StepFailed(f"{name} of the agent is too long to add anything to it. Shorten it, then try again.")
        # Gateways that know hashes refuse the write when the file has changed since it was read.
        expected = {"expectedHash": digest} if digest else {}
        try:
            await call(gateway_id, "agents.files.set", {"agentId": key, "name": name, "content": changed, **expected})
            return
        except GatewayError as error:
            if error.details.get("type") != "agent_file_conflict" or not remaining:
                raise


def with_block(text: str, block: str | None) -> str:
    if BEGIN in text and END in text:
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        if block is not None:
            return f"{before}{block}{after}"
        return before.removesuffix("\n") + after.removeprefix("\n")
    if block is None:
        return text
    return f"{text}{'' if text.endswith('\n') or not text else '\n'}\n{block}\n"
