"""What claims add to the application."""

from mission_control.claims import api, completions, leases, pages, polling, queries
from mission_control.claims.waiting import reasons_of
from mission_control.feature import Feature
from mission_control.http.body_limit import BodyLimit
from mission_control.log.event_log import Kind

claims = Feature(
    name="claims",
    rules=(queries.rules,),
    reactions=(
        completions.reactions,
        polling.reactions,
    ),
    kinds={
        "task.lease_expired": Kind(
            "A lease ran out; the task is back in the inbox and rests before it is assigned again."
        ),
        "task.flagged": Kind("A task waits for a person after several failed attempts."),
        "task.unflagged": Kind(
            "A person allowed a flagged task to be assigned again, with all its attempts.", "cleared the flag of"
        ),
        "task.run_completed": Kind("An agent handed in its work on a task, with evidence and usage.", "handed in"),
    },
    blueprints=(
        api.api,
        api.completions_api,
        pages.pages,
        api.runs_api,
    ),
    body_limits=(BodyLimit("POST", "/api/v1/agent/boards/[^/]+/tasks/[^/]+/completions", "max_file_bytes"),),
    agent_tabs=(pages.TAB,),
    regions=(*pages.REGIONS, *pages.TIMELINE_REGIONS),
    explain_waiting=reasons_of,
    loops=(leases.LEASES,),
    notices={
        "TASK FLAGGED": "task_flagged",
    },
)
