"""Write agents' entries into the configuration of a gateway, those of several agents in one patch.

A gateway takes 30 patches a minute, and each one reloads it: jobs that come to this step while a patch is on its way
are served by the next one together.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from mission_control.agents.models import Agent
from mission_control.core.json import to_json
from mission_control.gateways.events import GatewayRef
from mission_control.openclaw.errors import GatewayError, Said
from mission_control.provisioning.gateway_agent import call, changing
from mission_control.provisioning.gateway_config import WantedAgent, config_patch, with_heartbeat

TRIES = 5
# So many seconds lie between two patches: jobs that come in between share the next one.
PAUSE_SECONDS = 2.1

type _Wish = tuple[WantedAgent, asyncio.Future[bool]]
_wishes: dict[UUID, list[_Wish]] = {}
_writing: dict[UUID, asyncio.Task[None]] = {}
_patched_at: dict[UUID, float] = {}


async def write(gateway_id: UUID, entry: WantedAgent) -> bool:
    """Bring an agent's entry up to date. Return False when it was already. Raises GatewayError."""
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    _wishes.setdefault(gateway_id, []).append((entry, done))
    if gateway_id not in _writing:
        _writing[gateway_id] = asyncio.create_task(_write_all(gateway_id))
    return await done


async def heal(gateway: GatewayRef) -> None:
    """Take back the heartbeats that earlier versions wrote, which keep the owner's own agents from beating."""
    ours = await Agent.filter(gateway_id=gateway.id, is_adopted=False)
    if not ours:
        return
    beating = with_heartbeat(_config_of(await call(gateway.id, "config.get")))
    wanted = [one for one in ours if one.gateway_agent_id in beating]
    await asyncio.gather(*(write(gateway.id, WantedAgent.of(one)) for one in wanted))


async def _write_all(gateway_id: UUID) -> None:
    try:
        while _wishes.get(gateway_id):
            await asyncio.sleep(_patched_at.get(gateway_id, 0.0) + PAUSE_SECONDS - asyncio.get_running_loop().time())
            async with changing(gateway_id):
                wishes = [one for one in _wishes.pop(gateway_id, []) if not one[1].done()]
                await _answer(gateway_id, wishes)
    finally:
        del _writing[gateway_id]
        for _, done in _wishes.pop(gateway_id, []):
            done.cancel()


async def _answer(gateway_id: UUID, wishes: list[_Wish]) -> None:
    try:
        wrote = await _patch(gateway_id, [entry for entry, _ in wishes]) if wishes else False
    except Exception as error:
        for _, done in wishes:
            if not done.done():
                done.set_exception(error)
        return
    for _, done in wishes:
        if not done.done():
            done.set_result(wrote)


async def _patch(gateway_id: UUID, entries: list[WantedAgent]) -> bool:
    """Patch the configuration, unless it is as it should be: a patch reloads the gateway."""
    has_written = False
    for remaining in reversed(range(TRIES)):
        found = await call(gateway_id, "config.get")
        patch = config_patch(_config_of(found), entries)
        if patch is None:
            return has_written
        base = {"baseHash": found["hash"]} if found.get("hash") else {}
        _patched_at[gateway_id] = asyncio.get_running_loop().time()
        try:
            await call(gateway_id, "config.patch", {"raw": to_json(patch).decode(), **base})
        except GatewayError as error:
            is_stored = Said.CONFIG_STORED.search(error.message) is not None
            if not (remaining and (is_stored or Said.CONFIG_STALE.search(error.message))):
                raise
            if is_stored:
                has_written = True
                await asyncio.sleep(PAUSE_SECONDS)
        else:
            return True
    raise AssertionError("unreachable")


def _config_of(found: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("config", "parsed"):
        if isinstance(config := found.get(name), dict):
            return config
    return {}
