"""What jobs add to the application."""

from mission_control.feature import Feature
from mission_control.jobs import api, models, policy
from mission_control.jobs.running import run_jobs

jobs = Feature(
    name="jobs",
    models=(models,),
    rules=(policy.rules,),
    blueprints=(api.api,),
    loops=(run_jobs,),
)
