"""What happened while a person was away, for people and their clients."""

from mission_control.core.actor import Actor
from mission_control.core.values import OkResponse
from mission_control.home.absences.commands import close_report, report_for
from mission_control.home.absences.schemas import AbsenceQuery, AbsenceReport
from mission_control.http.operation_api import Api

api = Api(__name__, "needs", below="/absence-report")


@api.get("")
async def get_absence_report(actor: Actor, query: AbsenceQuery) -> AbsenceReport:
    """Read what happened while you were away for four hours or more, or in another time.

    404 when you were not away. Only boards that you read count.
    """
    return await report_for(actor, query)


@api.put("/closing", rule="absence.close")
async def close_absence_report(actor: Actor) -> OkResponse:
    """Close what Home says of your last absence, on all your devices; the report can still be read."""
    await close_report(actor)
    return OkResponse()
