"""The page on which a person lets a terminal in: by its code, typed or in the address."""

from quart import Blueprint, render_template, request
from quart.typing import ResponseReturnValue

from mission_control.agents.device_sign_in import commands as devices
from mission_control.agents.device_sign_in.commands import ApprovalForm, CodeForm, Shown
from mission_control.agents.models import DeviceCode
from mission_control.core.actor import Actor
from mission_control.core.errors import Conflict, Forbidden, Invalid
from mission_control.core.programs import program_name
from mission_control.web.actions import Typed, session_action
from mission_control.web.forms import go
from mission_control.web.shell import signed_in

pages = Blueprint("device_pages", __name__)
DEVICE = "/device"


@pages.get(DEVICE)
async def device() -> ResponseReturnValue:
    """Ask for the code of a terminal, or show the terminal that has the code in the address."""
    return await _page(await signed_in(), request.args.get("user_code", "").strip())


async def _page(actor: Actor, user_code: str, error: str = "") -> str:
    found: Shown | None = None
    if user_code:
        found, wrong = await devices.looked_up(actor, user_code)
        error = error or wrong
    return await render_template(
        "agents/device.html", shown=found, user_code=user_code, error=error, name=program_name, actor=actor
    )


async def _not_answered(refusal: Typed[CodeForm]) -> ResponseReturnValue:
    refusal.only(Conflict, Forbidden, Invalid)
    return await _page(await signed_in(), refusal.values["user_code"], refusal.sentence)


@session_action(pages, f"{DEVICE}/approvals", performs=devices.approve, form=ApprovalForm, refused=_not_answered)
async def approve(form: ApprovalForm, code: DeviceCode) -> ResponseReturnValue:
    """Let a terminal work as the chosen agent."""
    return go(f"{DEVICE}?user_code={devices.spelled(code.user_code)}")


@session_action(pages, f"{DEVICE}/refusals", performs=devices.refuse, form=CodeForm, refused=_not_answered)
async def refuse(form: CodeForm, code: DeviceCode) -> ResponseReturnValue:
    """Refuse a terminal."""
    return go(f"{DEVICE}?user_code={devices.spelled(code.user_code)}")
