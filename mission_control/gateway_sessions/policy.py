"""Rights on the sessions of gateways."""

from mission_control.core.actor import Actor
from mission_control.core.policy import Rules
from mission_control.gateway_sessions.reach import Reach

rules = Rules()


@rules.rule("gateway_session.read")
def may_read_sessions(actor: Actor, reach: Reach) -> bool:
    """People who read the board; of a gateway by itself its organization's owners and admins."""
    if reach.board is None:
        return actor.is_user and actor.administers(reach.gateway.organization_id)
    return actor.is_user and actor.reads(reach.board)


@rules.rule("gateway_session.write")
def may_write_to_sessions(actor: Actor, reach: Reach) -> bool:
    """People who write on the board; of a gateway by itself its organization's owners and admins."""
    if reach.board is None:
        return actor.is_user and actor.administers(reach.gateway.organization_id)
    return actor.is_user and actor.writes(reach.board)


@rules.rule("gateway_session.probe")
def may_probe_gateways(actor: Actor, thing: object) -> bool:
    """Owners and admins of the active organization: a url is tried, and what its gateway can do is listed."""
    return actor.is_user and actor.administers(actor.organization_id)
