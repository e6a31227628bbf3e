"""A link for a new password by mail. The answer is the same whether there is an account or not."""

from uuid import UUID

from pydantic import BaseModel
from quart import Quart

from mission_control.accounts import setup
from mission_control.accounts.commands import RESET_LIFE, owns_something, user_by_email
from mission_control.accounts.entrance import passwords_are_for_owners
from mission_control.accounts.forms import Email
from mission_control.accounts.letters import Letter, send_letter, sends_mail
from mission_control.accounts.log import record_account
from mission_control.accounts.mail_limits import count_mail
from mission_control.accounts.models import PasswordReset, User
from mission_control.commands.command import command
from mission_control.commands.unit_of_work import deliver
from mission_control.core import clock
from mission_control.core.actor import Actor, system
from mission_control.core.errors import NotFound
from mission_control.core.ids import fingerprint, new_secret
from mission_control.core.scope import Scope
from mission_control.delivery.models import Delivery
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.sending.loop import GiveUp, Send, Sender

KIND = "reset_mail"
NO_SERVER = "No mail is sent from here. An owner or admin of your organization makes a link for you."


class ForgottenForm(BaseModel):
    """Whose password is forgotten."""

    email: Email


async def ask(form: ForgottenForm) -> None:
    """Send a link to the account with an address, if there is one. TooMany beyond the limits, for every address."""
    if not sends_mail():
        raise NotFound(NO_SERVER)
    await count_mail(form.email, rate_limit_key(client_ip()))
    user = await user_by_email(form.email)
    if user is None or (passwords_are_for_owners() and not await owns_something(user)):
        return
    if user.active_organization_id is not None:
        await _send(system(user.active_organization_id), user)


@command("account.mail_reset")
async def _send(actor: Actor, user: User) -> None:
    scope = Scope(actor.organization_id, subject_id=user.id)
    deliver(KIND, scope, header="a link for a new password", text="", user_id=str(user.id))


@command("account.mail_reset")
async def _make(actor: Actor, user: User) -> str:
    """Return the secret of a new link, as it is sent: what is stored holds none."""
    secret = new_secret("mcr")
    await PasswordReset.create(user_id=user.id, fingerprint=fingerprint(secret), expires_at=clock.now() + RESET_LIFE)
    await record_account("account.reset_link_made", user.id, by_mail=True)
    return secret


def senders(app: Quart) -> list[Sender]:
    """Return who sends links for new passwords; nobody where no mail server is set."""
    return [Sender(KIND, _sender(app))] if app.config["SETTINGS"].smtp_url else []


def _sender(app: Quart) -> Send:
    async def send(delivery: Delivery) -> None:
        user = await User.get_or_none(id=UUID(delivery.data["user_id"]))
        if user is None or not user.email:
            raise GiveUp("The account was deleted.")
        secret = await _make(system(setup.NOWHERE), user)
        await send_letter(app, delivery.id, letter(user, f"{app.config['SETTINGS'].base_url}/reset/{secret}"))

    return send


def letter(user: User, link: str) -> Letter:
    """Return the mail with the link."""
    return Letter(
        to=user.email or "",
        subject="A new password for Mission Control",
        paragraphs=[f"{user.display_name}, somebody asked for a new password for {user.email} on Mission Control."],
        link=link,
        label="Choose a new password",
        notes=[
            "The link works once, within 24 hours.",
            "If it was not you, leave it: your password stays as it is.",
        ],
    )
