"""How an agent is being set up on its gateway, as its page shows it."""

from typing import Any

from mission_control.agents.page_frame import Tab, Viewed
from mission_control.gateways.models import Gateway
from mission_control.provisioning.models import LABELS, ProvisioningJob
from mission_control.web.fragments import render_macro

CARD, TEMPLATE = "provisioning/agent.html", "provisioning/agent_tab.html"
SHOWN = 10
WORDS = {
    "provision": "Set up",
    "update": "Update",
    "adopt": "Link",
    "remove": "Removal",
    "unlink": "Removal",
    "rest": "Stop",
}


async def render(viewed: Viewed) -> str:
    """The tab: the latest job with its steps, earlier ones, and the form that sets the agent up anew."""
    jobs = await _jobs(viewed, SHOWN)
    gateway = await Gateway.get_or_none(id=viewed.agent.gateway_id)
    return render_macro(TEMPLATE, "tab", viewed=viewed, gateway=gateway, jobs=jobs)


async def card(viewed: Viewed) -> str:
    """What the overview shows of it: the steps while they are made or have failed, else one line."""
    if viewed.agent.gateway_id is None:
        return ""
    jobs = await _jobs(viewed, 1)
    gateway = await Gateway.get_or_none(id=viewed.agent.gateway_id)
    return render_macro(CARD, "card", viewed=viewed, gateway=gateway, job=jobs[0] if jobs else None)


async def _jobs(viewed: Viewed, most: int) -> list[dict[str, Any]]:
    found = ProvisioningJob.filter(agent_id=viewed.id).order_by("-created_at", "-id")
    return [job_view(job) for job in await found.limit(most)]


def job_view(job: ProvisioningJob) -> dict[str, Any]:
    """Return a job in words."""
    return {
        "row": job,
        "word": WORDS.get(job.action, job.action),
        "steps": [{**one, "label": LABELS.get(one["key"], one["key"])} for one in job.steps],
        "is_open": job.state in ("waiting", "running"),
        "tries_again": job.state == "waiting" and job.attempts > 0 and bool(job.last_error),
        "awaits_call": job.state == "waiting" and job.awaits_check_in,
    }


TAB = Tab("gateway", "Gateway", render, card, applies=lambda viewed: viewed.agent.gateway_id is not None)
