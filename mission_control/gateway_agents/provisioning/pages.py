"""Pages about agents on gateways: how one is set up, who runs on a gateway, writing their files anew, linking them."""

from typing import Any
from uuid import UUID

from quart import Blueprint
from quart.typing import ResponseReturnValue

from mission_control.agents.models import Agent
from mission_control.agents.page_frame import AGENT_PAGE, Viewed, changes_agent
from mission_control.agents.roster import role_of, status_of
from mission_control.boards.queries import boards_of
from mission_control.core.actor import Actor, require
from mission_control.gateway_agents.models import LABELS as STEP_LABELS
from mission_control.gateway_agents.models import ProvisioningJob
from mission_control.gateway_agents.provisioning.changes import choices_to_link
from mission_control.gateway_agents.provisioning.jobs import result_of
from mission_control.gateway_agents.provisioning.schemas import Adoption, ProvisioningRequest, TemplatesSyncRequest
from mission_control.gateways.models import Gateway
from mission_control.gateways.pages import GATEWAY, GATEWAY_PAGE, DeletionForm, gateway_of_page, not_deleted
from mission_control.gateways.pages import Viewed as ViewedGateway
from mission_control.gateways.queries import visible_gateway
from mission_control.people.jobs.commands import ended_soon
from mission_control.people.models import Job
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import done, go
from mission_control.web.fragments import PageContext, render_macro
from mission_control.web.shell import signed_in
from mission_control.web.tabs import FormPage, Tab

pages = Blueprint("provisioning_pages", __name__)
LABELS = {
    "gateway_agent_id": "Agent",
    "board_id": "Board",
    "name": "Name here",
    "is_board_lead": "Board lead",
    "remember": "Memory",
}


@action(pages, f"{GATEWAY}/template-syncs")
async def create_templates_sync(outcome: Outcome[Gateway, TemplatesSyncRequest]) -> ResponseReturnValue:
    errors = outcome.answer.errors
    toast = errors[0].message if outcome.answer.job_id is None and errors else "The files are being written."
    return done(f"/gateways/{outcome.found.id}/agents", toast=toast)


@action(pages, f"{GATEWAY}/removals", form=DeletionForm, at=gateway_of_page, refused=not_deleted)
async def remove_gateway(outcome: Outcome[Gateway, DeletionForm]) -> ResponseReturnValue:
    """Delete a gateway with its agents there; how far that is stands among long work."""
    await ended_soon(outcome.answer.id)
    return go("/gateways")


async def _with_agents(gateway_id: UUID) -> tuple[Actor, Gateway]:
    actor = await signed_in()
    gateway = await visible_gateway(actor, gateway_id)
    require(actor, "gateway.adopt", gateway)
    return actor, gateway


async def _choices(actor: Actor, gateway: Gateway, ids: object) -> PageContext:
    choices, problem = await choices_to_link(gateway)
    boards = [(board.id, board.name) for board in await boards_of(actor) if board.gateway_id == gateway.id]
    return {"there": choices, "boards": boards, "problem": problem}


ADOPTION = FormPage(
    pages=pages, path=f"{GATEWAY}/adoptions", asked_at=f"{GATEWAY}/adoptions/new", find=_with_agents,
    title="Link an agent", template="gateway_agents/provisioning/adoption.html", macro="adoption",
    back=("agents", "the gateway"), context=_choices, labels=LABELS,
)  # fmt: skip


@action(pages, ADOPTION.path, refused=ADOPTION.refused)
async def adopt_gateway_agent(outcome: Outcome[Gateway, Adoption]) -> ResponseReturnValue:
    return done(f"/gateways/{outcome.found.id}/agents", toast=f"{outcome.form.name} linked")


@action(pages, f"{GATEWAY}/adoptions/<uuid:agent_id>/deletions")
async def unlink_gateway_agent(outcome: Outcome[Any, None]) -> ResponseReturnValue:
    gateway, agent = outcome.found
    return done(f"/gateways/{gateway.id}/agents", toast=f"{agent.name} unlinked")


@changes_agent(pages, "/agents/<uuid:agent_id>/provisionings")
async def create_agent_provisioning(outcome: Outcome[Agent, ProvisioningRequest]) -> ResponseReturnValue:
    return done(f"/agents/{outcome.found.id}", toast=f"{outcome.found.name} is being set up")


SHOWN_JOBS = 10
WORDS = {
    "provision": "Set up", "update": "Update", "adopt": "Link", "remove": "Removal", "unlink": "Removal",
    "rest": "Stop",
}  # fmt: skip


async def agent_tab(viewed: Viewed) -> str:
    jobs = await _jobs(viewed, SHOWN_JOBS)
    gateway = await Gateway.get_or_none(id=viewed.agent.gateway_id)
    return render_macro("gateway_agents/provisioning/agent_tab.html", "tab", viewed=viewed, gateway=gateway, jobs=jobs)


async def card(viewed: Viewed) -> str:
    """What the overview shows of it: the steps while they are made or have failed, else one line."""
    job = next(iter(await _jobs(viewed, 1)), None)
    gateway = await Gateway.get_or_none(id=viewed.agent.gateway_id)
    return render_macro("gateway_agents/provisioning/agent.html", "card", viewed=viewed, gateway=gateway, job=job)


async def _jobs(viewed: Viewed, most: int) -> list[PageContext]:
    jobs = ProvisioningJob.filter(agent_id=viewed.id).order_by("-created_at", "-id")
    return [
        {
            "row": job,
            "word": WORDS.get(job.action, job.action),
            "steps": [{**step, "label": STEP_LABELS.get(step["key"], step["key"])} for step in job.steps],
            "is_open": job.state in ("waiting", "running"),
            "tries_again": job.state == "waiting" and job.attempts > 0 and bool(job.last_error),
            "awaits_call": job.state == "waiting" and job.awaits_check_in,
        }
        for job in await jobs.limit(most)
    ]


AGENT_TAB = Tab(
    AGENT_PAGE, "gateway", "Gateway", agent_tab, card, applies=lambda viewed: viewed.agent.gateway_id is not None
)


SHOWN_AGENTS = 200


async def gateway_tab(viewed: ViewedGateway) -> str:
    found = Agent.filter(gateway_id=viewed.id, board__deleted_at=None).select_related("board")
    agents = await found.order_by("board_id", "created_at").limit(SHOWN_AGENTS)
    sync = await ProvisioningJob.filter(gateway_id=viewed.id, action="sync").order_by("-created_at").first()
    result = None if sync is None else await result_of(sync)
    work = None if sync is None else await Job.get_or_none(id=sync.id)
    lines = [
        {"row": agent, "status": status_of(agent, [], 0)[0], "role": role_of(agent), "is_main": agent.board is None}
        for agent in agents
    ]
    return render_macro(
        "gateway_agents/provisioning/gateway_tab.html",
        "tab",
        viewed=viewed,
        lines=lines,
        sync=sync,
        result=result,
        work=work,
    )


GATEWAY_TAB = Tab(GATEWAY_PAGE, "agents", "Agents", gateway_tab)
