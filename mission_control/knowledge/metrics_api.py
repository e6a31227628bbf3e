"""The dashboard over HTTP."""

from mission_control.core.actor import Actor
from mission_control.http.operation_api import Api
from mission_control.knowledge.dashboard import dashboard
from mission_control.knowledge.metrics_schemas import DashboardMetrics, DashboardQuery

api = Api(__name__, "metrics")


@api.get("/metrics/dashboard")
async def dashboard_metrics(actor: Actor, query: DashboardQuery) -> DashboardMetrics:
    """Read the figures of all boards, one board or one group.

    The series keep the meaning that clients know; `flow` holds figures computed from what happened to tasks.
    """
    return await dashboard(actor, query)
