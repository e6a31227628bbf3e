"""Write the workspace files of an agent, and replace its token where that was asked for."""

from uuid import UUID

from mission_control.commands.command import command
from mission_control.core.actor import Actor, system
from mission_control.openclaw.errors import GatewayError
from mission_control.provisioning.installation import here
from mission_control.provisioning.models import ProvisioningJob
from mission_control.provisioning.progress import LeaseLost
from mission_control.provisioning.run import Run, StepFailed
from mission_control.provisioning.tokens import end_replaced, is_lasting, make_workspace_token
from mission_control.provisioning.workspace.facts import WorkspaceFacts
from mission_control.provisioning.workspace.files import FILES, workspace_files
from mission_control.provisioning.workspace.writing import Writing, written


async def write(run: Run) -> str:
    """Write the files that are due; return how many."""
    await ensure_token(system(run.job.organization_id), run)
    listing = await run.call("agents.files.list", agentId=run.key)
    found = {one["name"]: one for one in listing.get("files", ()) if isinstance(one, dict) and "name" in one}
    # What a gateway accepts is what it lists; one that lists nothing is asked for the files that all of them have.
    names = [name for name in FILES if name in found] or ["AGENTS.md", "SOUL.md", "USER.md", "MEMORY.md"]
    facts = await facts_of(run)
    existing = {name for name, one in found.items() if not one.get("missing")}
    due = _due(run, facts, names, existing)
    texts = workspace_files(facts, names=names)
    for name in due:
        await _set(run, name, texts[name])
    await settle_made_token(run)
    kept = sorted(set(names) - set(due) & existing)
    return f"{len(due)} written" + (f", {', '.join(kept)} kept as it is." if kept else ".")


def _due(run: Run, facts: WorkspaceFacts, names: list[str], existing: set[str]) -> tuple[str, ...]:
    options = run.job.options
    writing = Writing(
        role=facts.role,
        is_update=not run.is_first,
        overwrite=bool(options.get("overwrite")),
        force_bootstrap=bool(options.get("force_bootstrap")),
    )
    # A worker and a main agent have nothing to do once: their first instructions stand in AGENTS.md.
    own = [name for name in names if name != "BOOTSTRAP.md" or facts.role == "lead"]
    return written(own, writing, existing=existing)


async def _set(run: Run, name: str, text: str) -> None:
    try:
        await run.call("agents.files.set", agentId=run.key, name=name, content=text)
    except GatewayError as error:
        raise StepFailed(f"{name} was refused: {error.message}") if not error.is_retryable else error from error


async def facts_of(run: Run) -> WorkspaceFacts:
    """Return what the texts for the agent say."""
    assert run.agent.workspace_token is not None
    return WorkspaceFacts.of(
        run.agent,
        run.board,
        await run.person(),
        base_url=here().base_url,
        token=here().unseal(run.agent.workspace_token),
        workspace_root=run.gateway.workspace_root,
        workspace_path=run.agent.workspace_path or "",
    )


@command("provisioning.run")
async def ensure_token(actor: Actor, run: Run) -> None:
    """Create a token when the agent's is missing or ends, or another one was asked for and is not made yet."""
    wants = bool(run.job.options.get("rotate_token")) and "token_id" not in run.job.target
    if not wants and await is_lasting(run.agent):
        return
    held = await ProvisioningJob.filter(id=run.job.id, leased_by=run.job.leased_by).select_for_update().first()
    if held is None:
        raise LeaseLost
    made = await make_workspace_token(run.agent)
    run.job.target = run.job.target | {"token_id": str(made)}
    await ProvisioningJob.filter(id=run.job.id).update(target=run.job.target)


async def settle_made_token(run: Run) -> None:
    """Let the tokens end that a new one replaced, now that it is in the agent's files."""
    if (made := run.job.target.get("token_id")) is not None:
        await settle_token(system(run.job.organization_id), run, UUID(made))


@command("provisioning.run")
async def settle_token(actor: Actor, run: Run, token_id: UUID) -> None:
    """End the replaced tokens after the overlap: the files have the new one."""
    await end_replaced(run.agent.id, token_id)
