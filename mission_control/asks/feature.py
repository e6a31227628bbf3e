"""What asks add to the application; their kinds are in the features whose they are."""

from mission_control.asks import answering, api, deadlines, finding, models, polling
from mission_control.feature import Feature

asks = Feature(
    name="asks",
    models=(models,),
    rules=(answering.rules,),
    reactions=(polling.reactions,),
    loops=(deadlines.DEADLINES, deadlines.RETURNS),
    lookups=(finding.key_named,),
    blueprints=(api.api,),
)
