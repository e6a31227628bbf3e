"""How the session of a browser begins and ends: first run, signing in and out, a new password by mail."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from quart import Quart, current_app, request
from quart_auth import AuthUser, login_user, logout_user

from mission_control.background import sending
from mission_control.background.sending import GiveUp, Sender
from mission_control.core import times
from mission_control.core.actor import Actor, Scope, system
from mission_control.core.errors import Conflict, Forbidden, NotFound, TooMany
from mission_control.core.limits import NEIGHBOURS, PersonScope, unknown_tokens, wider
from mission_control.core.outbound import Mail, MailRefused, send_mail
from mission_control.core.values import JsonObject, Schema, fingerprint, new_secret
from mission_control.database.sql import is_postgres, rows
from mission_control.events.commands import command
from mission_control.events.leases import Delivery
from mission_control.events.unit_of_work import deliver
from mission_control.http import authentication
from mission_control.http.authentication import live_session
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.people.accounts import commands as account_commands
from mission_control.people.accounts.credentials import attempt, remember_browser, sign_in_attempt
from mission_control.people.accounts.queries import NewPassword, TypedPassword, welcome
from mission_control.people.audit.account_log import record_account
from mission_control.people.models import MailRequest, PasswordReset, User
from mission_control.people.sign_in import first_run
from mission_control.people.sign_in.first_run import Email, Line, SetupForm, zone
from mission_control.web.forms import Fields, Form, FormInvalid, VersionedForm
from mission_control.web.fragments import render_macro

OptionalLine = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None


class SignInForm(Schema):
    """Sign in with e-mail and password."""

    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]
    password: TypedPassword
    next: str = "/"


class ResetForm(Schema):
    """A new password, by a link."""

    password: NewPassword
    ends_others: bool | None = None


class ProfileForm(VersionedForm):
    """What others read about a person."""

    name: Line
    preferred_name: OptionalLine = None
    timezone: Annotated[str | None, AfterValidator(zone)] = None


class AwayForm(VersionedForm):
    """From which day on a person is back, and who is asked instead until then."""

    away_until: date | None = None
    stand_in_id: UUID | None = None

    def body(self, found: None) -> Fields:
        back = times.at(self.away_until, times.START_TIME, times.reader()) if self.away_until is not None else None
        if back is not None and back <= times.clock_now():
            raise FormInvalid(self.model_dump(), {"away_until": "Choose a day that is still to come."})
        return {"away_until": back, "stand_in_id": self.stand_in_id}

    @classmethod
    def values_of(cls, user: User) -> JsonObject:
        is_away = user.away_until is not None and user.away_until > times.clock_now()
        day = times.day_of(user.away_until, times.reader()) if is_away and user.away_until is not None else None
        return {"away_until": day, "stand_in_id": user.stand_in_id}


class WelcomeForm(Form):
    """What is asked on the first visit, and where to go on."""

    name: Line
    timezone: Annotated[str | None, AfterValidator(zone)] = None
    next: str = "/"


class DeleteAccountForm(Form):
    """The word, typed, with which an account is deleted."""

    typed: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""

    def body(self, found: None) -> None:
        if self.typed.lower() != "delete":
            raise FormInvalid(self.model_dump(), {"typed": "Type the word delete."})


class TokenForm(Form):
    """A new personal token."""

    token_name: Line
    may: PersonScope = "work"
    days: Annotated[int | None, Field(ge=1, le=3650)] = None

    def body(self, found: User) -> Fields:
        ends = times.clock_now() + timedelta(days=self.days) if self.days else None
        return {"name": self.token_name, "expires_at": ends, "scopes": [self.may]}


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says: sentences about it, one link, and what to know about the link."""

    to: str
    subject: str
    paragraphs: Sequence[str]
    link: str
    label: str
    notes: Sequence[str]

    def mail(self, id: UUID) -> Mail:
        texts = [*self.paragraphs, f"{self.label}:\n{self.link}", *self.notes]
        fields = ("subject", "paragraphs", "link", "label", "notes")
        html = render_macro("mail/letter.html", "letter", **{name: getattr(self, name) for name in fields})
        return Mail(str(id), self.to, self.subject, "\n\n".join(texts) + "\n", html)


def sends_mail() -> bool:
    return bool(current_app.config["SETTINGS"].smtp_url)


def mail_senders(kind: str, write: Callable[[Delivery, str], Awaitable[Letter]]) -> Callable[[Quart], Sequence[Sender]]:
    """Return what gives an application its sender of a kind of letters: none where no mail server is set.

    `write` gets the delivery and the address of the installation. What the mail server refuses for good is given up.
    """

    def senders(app: Quart) -> list[Sender]:
        settings = app.config["SETTINGS"]

        async def send(delivery: Delivery) -> None:
            async with app.app_context():
                mail = (await write(delivery, settings.base_url)).mail(delivery.id)
            try:
                await send_mail(settings.smtp_url, settings.mail_from, mail)
            except MailRefused as error:
                raise GiveUp(str(error)) from error

        return [Sender(kind, send)] if settings.smtp_url else []

    return sending.senders(senders)


WINDOW = timedelta(hours=1)
BY_ADDRESS, FOR_ACCOUNT = 10, 3


def _key(kind: str, name: str) -> str:
    return fingerprint(f"mail {kind} {name}")


@command("account.mail_reset")
async def _count(actor: Actor, email: str, address: str) -> None:
    """Count a mail that somebody at an address asks for. Raise TooMany, and count nothing, beyond the limits.

    A /64 of IPv6 counts for its /48 too, which has ten times the limit.
    """
    limits = {_key("account", email.lower()): FOR_ACCOUNT, _key("address", address): BY_ADDRESS}
    if wide := wider(address):
        limits[_key("address", wide)] = BY_ADDRESS * NEIGHBOURS
    since = times.clock_now() - WINDOW
    await MailRequest.filter(created_at__lt=since).delete()
    for key, most in sorted(limits.items()):
        if is_postgres():  # one transaction at a time counts for a key; on SQLite one at a time writes anyway
            await rows("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", key)
        last = await MailRequest.filter(key=key).order_by("-created_at").offset(most - 1).first()
        if last is not None:
            raise TooMany(round((last.created_at - since).total_seconds()) + 1)
    await MailRequest.bulk_create([MailRequest(key=key) for key in sorted(limits)])


async def set_up(form: SetupForm) -> None:
    """Create the first owner and sign them in; Conflict when there is one."""
    if not await first_run.is_open():
        raise Conflict("An owner exists already. Sign in instead.")
    try:
        async with attempt(password=rate_limit_key(client_ip())):
            owner = await first_run.complete_setup(form, local_token=current_app.config["SETTINGS"].local_auth_token)
    except Forbidden as wrong:
        raise FormInvalid(form.model_dump(), {"code": wrong.sentence}) from None
    await begin_session(owner)


async def begin_session(user: User) -> None:
    """Sign somebody in who has proved who they are; the session that this browser had ends."""
    agent = request.headers.get("User-Agent")
    secret = await account_commands.start_session(system(), user, agent, await live_session(), client_ip())
    login_user(AuthUser(secret), remember=True)


async def sign_in(form: SignInForm) -> None:
    try:
        async with sign_in_attempt(form.email):
            user = await account_commands.proven(form.email, form.password, owners_only=passwords_are_for_owners())
    except Forbidden as wrong:
        raise FormInvalid(form.model_dump(), {"": wrong.sentence}) from None
    await begin_session(user)
    remember_browser(form.email)


async def is_to_be_welcomed(email: str) -> bool:
    """Whether the person with this address has no name or no time zone, and was not asked before; they are now."""
    user = await account_commands.user_by_email(email)
    return user is not None and not (user.name and user.timezone) and await welcome(system(), user)


def passwords_are_for_owners() -> bool:
    """Whether only owners sign in by password, because an identity provider signs everybody else in."""
    return bool(current_app.config["SETTINGS"].auth_mode != "local")


async def leave() -> None:
    actor = await authentication.user_by_session()
    if actor is not None:
        await account_commands.sign_out(actor, await User.get(id=actor.id))
    logout_user()


async def reset(form: ResetForm, secret: str) -> bool:
    """Set a new password by a link, which is used up then; return whether its person is signed in now."""
    await live_reset(secret)  # before the new password is hashed, which takes everybody's time
    user = await account_commands.reset_password(secret, form.password, ends_others=form.ends_others is not False)
    if passwords_are_for_owners() and not await account_commands.owns_something(user):
        return False
    await begin_session(user)
    return True


async def live_reset(secret: str) -> PasswordReset:
    """Return what a link is for. One that is dead counts against the address, like an unknown token."""
    target = await account_commands.reset_target(secret)
    if target is None:
        raise dead_link("This link was used already or has expired. Ask an admin of your organization for a new one.")
    return target


def dead_link(sentence: str) -> NotFound:
    """Return the error of a link that means nothing, which counts against the address. TooMany beyond the limit."""
    key = rate_limit_key(client_ip())
    unknown_tokens.check(key)
    unknown_tokens.failed(key)
    return NotFound(sentence)


KIND = "reset_mail"
NO_SERVER = "No mail is sent from here. An owner or admin of your organization makes a link for you."


class ForgottenForm(Schema):
    """Whose password is forgotten."""

    email: Email


async def ask(form: ForgottenForm) -> None:
    """Send a link to the account with an address, if there is one. TooMany beyond the limits, for every address."""
    if not sends_mail():
        raise NotFound(NO_SERVER)
    await _count(system(), form.email, rate_limit_key(client_ip()))
    user = await account_commands.user_by_email(form.email)
    if user is None or (passwords_are_for_owners() and not await account_commands.owns_something(user)):
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
    await PasswordReset.create(
        user_id=user.id, fingerprint=fingerprint(secret), expires_at=times.clock_now() + account_commands.RESET_LIFE
    )
    await record_account("account.reset_link_made", user.id, by_mail=True)
    return secret


async def _letter(delivery: Delivery, base_url: str) -> Letter:
    user = await User.get_or_none(id=UUID(delivery.data["user_id"]))
    if user is None or not user.email:
        raise GiveUp("The account was deleted.")
    return Letter(
        to=user.email,
        subject="A new password for Mission Control",
        paragraphs=[f"{user.display_name}, somebody asked for a new password for {user.email} on Mission Control."],
        link=f"{base_url}/reset/{await _make(system(), user)}",
        label="Choose a new password",
        notes=["The link works once, within 24 hours.", "If it was not you, leave it: your password stays as it is."],
    )


senders = mail_senders(KIND, _letter)
