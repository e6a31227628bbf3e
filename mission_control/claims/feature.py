"""What claims add to the application."""

from mission_control.claims import (
    agent_tab,
    api,
    completions_api,
    pages,
    panel,
    policy,
    reactions,
    runs_api,
    submissions,
    timer,
)
from mission_control.claims.timer import watch_leases
from mission_control.claims.waiting import reasons_of
from mission_control.feature import Feature
from mission_control.http.body_limit import BodyLimit
from mission_control.live.kinds import Kind

claims = Feature(
    name="claims",
    rules=(policy.rules,),
    reactions=(
        submissions.reactions,
        reactions.reactions,
    ),
    kinds={
        "task.lease_expired": Kind(
            "A lease ran out; the task is back in the inbox and rests before it is handed out again."
        ),
        "task.flagged": Kind("A task waits for a person after several failed attempts."),
        "task.unflagged": Kind(
            "A person let a task be handed out again, with all attempts before it.", "cleared the flag of"
        ),
        "task.run_completed": Kind(
            "An agent handed in its work on a task, with what shows it and what it used up.", "handed in"
        ),
    },
    blueprints=(
        api.api,
        completions_api.api,
        pages.pages,
        runs_api.api,
    ),
    body_limits=(BodyLimit("POST", "/api/v1/agent/boards/[^/]+/tasks/[^/]+/completions", "max_file_bytes"),),
    agent_tabs=(agent_tab.TAB,),
    regions=panel.REGIONS,
    explain_waiting=reasons_of,
    loops=(watch_leases,),
    on_clock_set=(timer.look_now,),
    notices={
        "TASK FLAGGED": "task_flagged",
    },
)
