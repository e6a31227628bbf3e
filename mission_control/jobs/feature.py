"""What jobs add to the application."""

from mission_control.feature import Feature
from mission_control.jobs import api, models, pages, policy, queries
from mission_control.jobs.running import JOBS
from mission_control.web.shell import PaletteEntry

jobs = Feature(
    name="jobs",
    models=(models,),
    rules=(policy.rules,),
    lookups=(queries.visible_job,),
    blueprints=(api.api, pages.pages),
    regions=pages.REGIONS,
    palette=(PaletteEntry("Running and finished work", "/work", "hourglass", "jobs imports syncs progress", 90),),
    loops=(JOBS,),
)
