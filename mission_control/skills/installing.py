"""Ask the main agent of a gateway to install a skill, or to remove it."""

from dataclasses import dataclass
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.agents.queries import main_agent_on
from mission_control.agents.reactions import NOTICE
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver, record
from mission_control.core import clock
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid, NotFound
from mission_control.core.ids import new_id
from mission_control.gateways.models import Gateway
from mission_control.gateways.queries import visible_gateway
from mission_control.skills.install_texts import INSTALL, UNINSTALL, request_text
from mission_control.skills.models import InstalledSkill, Skill
from mission_control.skills.queries import NO_GATEWAY, visible_skill


@dataclass(frozen=True, slots=True)
class Place:
    """A skill, the gateway it is meant for, and the gateway's main agent."""

    skill: Skill
    gateway: Gateway
    main: Agent


async def skill_for_gateway(actor: Actor, skill_id: UUID, gateway_id: UUID) -> Place:
    """Return a visible skill and a gateway that can take it. Raise NotFound or Invalid, in the contract's order."""
    try:
        gateway = await visible_gateway(actor, gateway_id)
    except NotFound:
        raise NotFound(NO_GATEWAY) from None
    if not gateway.workspace_root.strip():
        raise Invalid("The gateway has no workspace root. Add one on its page.")
    skill = await visible_skill(actor, skill_id)
    if not gateway.url.strip():
        raise Invalid("The gateway has no address. Add one on its page.")
    main = await main_agent_on(gateway.id)
    if main is None:
        raise Invalid("The gateway has no main agent. Save the gateway again to create it.")
    return Place(skill, gateway, main)


@command("skill.install")
async def ask_for_skill(actor: Actor, place: Place, *, is_wanted: bool) -> UUID:
    """Have a gateway's main agent install a skill or remove it. Return the id of the delivery."""
    skill, header = place.skill, INSTALL if is_wanted else UNINSTALL
    delivery = deliver(
        NOTICE,
        place.gateway.scope(),
        agent_id=place.main.id,
        header=header,
        text=request_text(header, place.skill, place.gateway),
        deliver=True,
        skill_id=str(skill.id),
        succeeded="gateway.main.skill_message.sent",
        failed="gateway.main.skill_message.failed",
        event={"about": f"{'install' if is_wanted else 'remove'} {skill.name}", "skill_id": str(skill.id)},
    )
    await _remember(place, delivery.id, is_wanted=is_wanted)
    record(
        "skill.install_requested" if is_wanted else "skill.uninstall_requested",
        skill,
        f"{'Installation' if is_wanted else 'Removal'} asked for: {skill.name}.",
        gateway_id=place.gateway.id,
        delivery_id=delivery.id,
    )
    return delivery.id


async def _remember(place: Place, delivery_id: UUID, *, is_wanted: bool) -> None:
    now = clock.now()
    new = InstalledSkill(
        id=new_id(),
        gateway_id=place.gateway.id,
        skill_id=place.skill.id,
        is_wanted=is_wanted,
        delivery_id=delivery_id,
        created_at=now,
        updated_at=now,
    )
    await InstalledSkill.bulk_create([new], ignore_conflicts=True)
    stored = await InstalledSkill.select_for_update().get(gateway_id=place.gateway.id, skill_id=place.skill.id)
    if stored.id == new.id:
        return
    if is_wanted and not stored.is_wanted:
        stored.created_at = now
    stored.is_wanted, stored.delivery_id, stored.updated_at = is_wanted, delivery_id, now
    await stored.save(update_fields=["is_wanted", "delivery_id", "created_at", "updated_at"])
