"""The dashboard over HTTP."""

from typing import Any

from mission_control.core.actor import Actor
from mission_control.metrics.dashboard import dashboard
from mission_control.metrics.schemas import DashboardMetrics, DashboardQuery
from mission_control.operations.api import Api
from mission_control.operations.operation import operation

api = Api("metrics_api", __name__, url_prefix="/api/v1")


@operation(
    api,
    "GET",
    "/metrics/dashboard",
    operation_id="dashboard_metrics_api_v1_metrics_dashboard_get",
    tags=("metrics",),
    who="user",
    query=DashboardQuery,
    returns=DashboardMetrics,
)
async def dashboard_metrics(actor: Actor, query: DashboardQuery) -> dict[str, Any]:
    """Read the figures of all boards, one board or one group.

    The series keep the meaning that clients know; `flow` holds figures computed from what happened to tasks.
    """
    return await dashboard(actor, query)
