"""The link in every mail that ends mail to its receiver: it proves who that is, and is good for nothing else."""

import base64
import hashlib
import hmac
from uuid import UUID

from mission_control.channels.models import ReachSettings
from mission_control.channels.preferences.commands import WAKES
from mission_control.core import secrets
from mission_control.core.actor import Actor, OnlySystem, system
from mission_control.core.current_app import secret_key
from mission_control.core.errors import existing
from mission_control.events.commands import command
from mission_control.events.event_log import AccountKind
from mission_control.events.unit_of_work import notify, signal
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import User
from mission_control.people.sign_in.browser_sessions import dead_link

EVENTS = (AccountKind("account.mail_stopped", "Somebody ended mail about what needs them, by the link in one."),)
ONLY_SYSTEM = OnlySystem("reach.stop_mail")

MARK_BYTES = 20  # with the 16 of an id no base64 needs padding, which programs lose
DEAD = "This link does not end any mail. Change what is sent to you in the settings."


def stop_path(user_id: UUID) -> str:
    return f"/reach/off/{base64.urlsafe_b64encode(user_id.bytes + _mark(user_id)).decode()}"


def _mark(user_id: UUID) -> bytes:
    key = secrets.stop_key(secret_key())
    return hmac.digest(key, user_id.bytes, hashlib.sha256)[:MARK_BYTES]


async def person_of(token: str) -> User:
    """Return whose mail a link ends. Raise NotFound, which counts against the address, for one that is not ours."""
    try:
        found = base64.b64decode(token, altchars=b"-_", validate=True)
        user_id = UUID(bytes=found[:16])
    except ValueError:
        raise dead_link(DEAD) from None
    if not hmac.compare_digest(found[16:], _mark(user_id)):
        raise dead_link(DEAD)
    return await existing(User.get_or_none(id=user_id), DEAD)


async def stop(token: str) -> None:
    """End mail to the person of a link; a no-op when it had ended."""
    await stop_mail(system(), await person_of(token))


@command("reach.stop_mail")
async def stop_mail(actor: Actor, user: User) -> None:
    """End mail about what needs a person, until they turn it on again."""
    await ReachSettings.bulk_create([ReachSettings(user_id=user.id)], ignore_conflicts=True)
    if await ReachSettings.filter(user_id=user.id, mail=True).update(mail=False):
        await record_account("account.mail_stopped", user.id)
        notify(WAKES)
        if user.active_organization_id is not None:
            signal(user.active_organization_id, reach_of=str(user.id))
