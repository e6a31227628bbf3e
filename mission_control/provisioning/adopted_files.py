"""What a linked agent gets: one marked block at the end of AGENTS.md, and one in MEMORY.md if the person agrees.

Everything else in its files stays as it is, also when the agent writes them at the same time.
"""

from uuid import UUID

from mission_control.core.actor import system
from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning.file_step import ensure_token, facts_of, settle_made_token
from mission_control.provisioning.gateway_agent import call, is_missing, read_file
from mission_control.provisioning.run import Run, StepFailed
from mission_control.provisioning.workspace.facts import WorkspaceFacts

BEGIN, END = "<!-- mission-control:begin -->", "<!-- mission-control:end -->"
TRIES = 4
LONGEST = 20_000


async def add(run: Run) -> str:
    """Add the blocks, or renew those that are there."""
    await ensure_token(system(run.job.organization_id), run)
    facts = await facts_of(run)
    await _change(run.gateway.id, run.key, "AGENTS.md", credentials_block(facts))
    await settle_made_token(run)
    if not run.job.options.get("remember"):
        return "One block in AGENTS.md."
    await _change(run.gateway.id, run.key, "MEMORY.md", memory_block(facts))
    return "One block in AGENTS.md, one in MEMORY.md."


async def remove(gateway_id: UUID, key: str) -> str:
    """Remove the blocks. An agent that is gone has none."""
    try:
        for name in ("AGENTS.md", "MEMORY.md"):
            await _change(gateway_id, key, name, None)
    except GatewayError as error:
        if not is_missing(error):
            raise
        return "The agent is gone."
    return ""


async def _change(gateway_id: UUID, key: str, name: str, block: str | None) -> None:
    """Put a block at the end of a file in place of an earlier one; nobody's change in between is lost."""
    for remaining in reversed(range(TRIES)):
        content, digest = await read_file(gateway_id, key, name)
        changed = with_block(content or "", block)
        if changed == (content or ""):
            return
        if len(changed) > LONGEST and len(content or "") <= LONGEST:
            raise StepFailed(f"{name} of the agent is too long to add anything to it. Shorten it, then try again.")
        # Gateways that know hashes refuse the write when the file has changed since it was read.
        expected = {"expectedHash": digest} if digest else {}
        try:
            await call(gateway_id, "agents.files.set", {"agentId": key, "name": name, "content": changed, **expected})
        except GatewayError as error:
            if error.details.get("type") != "agent_file_conflict" or not remaining:
                raise
        else:
            return


def with_block(text: str, block: str | None) -> str:
    """Return a file with another block, or without one."""
    if BEGIN in text and END in text:
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        if block is not None:
            return f"{before}{block}{after}"
        return before.removesuffix("\n") + after.removeprefix("\n")
    if block is None:
        return text
    return f"{text}{'' if text.endswith('\n') or not text else '\n'}\n{block}\n"


def credentials_block(facts: WorkspaceFacts) -> str:
    """Return what an agent needs to call Mission Control."""
    board = facts.board
    lines = [
        BEGIN,
        "## Mission Control",
        "You also work on a board of Mission Control. Send every request with the header X-Agent-Token.",
        f"BASE_URL={facts.base_url}",
        f"AUTH_TOKEN={facts.token}",
        f"AGENT_ID={facts.agent_id}",
        *([f"BOARD_ID={board.id}"] if board else []),
        'Say that you are there: curl -sS -X POST "$BASE_URL/api/v1/agent/heartbeat" -H "X-Agent-Token: $AUTH_TOKEN"',
        'Learn the rest: curl -sS "$BASE_URL/llms.txt"',
        END,
    ]
    return "\n".join(lines)


def memory_block(facts: WorkspaceFacts) -> str:
    """Return what an agent should keep in mind about the board."""
    name = " ".join(facts.board.name.split()) if facts.board else ""
    lines = [
        BEGIN,
        f"I work on the board {name} of Mission Control. My address and token for it are in AGENTS.md.",
        "A message comes when there is work for me. I hand in what I did with evidence.",
        END,
    ]
    return "\n".join(lines)
