"""Whose jobs somebody may read."""

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.jobs.models import Job

rules = Rules()


@rules.rule("job.list")
def may_list_jobs(actor: Actor, thing: object) -> bool:
    """People: their own jobs, and owners and admins all of the organization's."""
    return actor.is_user


@rules.rule("job.read")
def may_read_job(actor: Actor, job: Job) -> bool:
    """Who started it, and owners and admins of its organization."""
    return actor.is_user and (job.user_id == actor.user_id or actor.administers(job.organization_id))


@rules.rule("job.acknowledge")
def may_acknowledge(actor: Actor, job: Job) -> bool:
    return may_read_job(actor, job)
