"""Sign terminals in by a code (RFC 8628): what a terminal asks, what its person answers, and the token for both."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from mission_control.agents.connections.commands import USED, Connected, connect, plain
from mission_control.agents.connections.queries import Choice, choices_of
from mission_control.agents.models import Connection, DeviceCode
from mission_control.boards.models import Board
from mission_control.core import limits, times
from mission_control.core.actor import Actor, OnlySystem, rule, system
from mission_control.core.errors import Conflict, Forbidden, Invalid, NotFound
from mission_control.core.programs import Client, program_name, unheld_programs
from mission_control.core.values import Schema, fingerprint, new_secret, parse_id
from mission_control.events.commands import command
from mission_control.http.authentication import user_actor
from mission_control.http.proxies import client_ip, rate_limit_key
from mission_control.people.accounts.credentials import attempt
from mission_control.web.shell import signed_in

# Without vowels, which make words, and without what is read as something else.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
LIFE, REMEMBERED = timedelta(seconds=600), timedelta(hours=1)
INTERVAL, SLOWER, TOLERANCE = 5, 5, timedelta(seconds=0.5)
ONLY_SYSTEM = OnlySystem("device.ask", "device.poll")


class DeviceNeeds(Schema):
    """What a terminal says of itself when it asks to be signed in."""

    client: Client = "other"
    host_label: str | None = None
    user_label: str | None = None
    system: str | None = None
    board: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A terminal that waits for its person, with its secret."""

    code: DeviceCode
    secret: str


@command("device.ask")
async def ask(actor: Actor, needs: DeviceNeeds, address: str) -> Asked:
    """Make the codes of a terminal. Those that expired an hour ago are deleted."""
    now, secret = times.clock_now(), new_secret("mct")
    await DeviceCode.filter(expires_at__lt=now - REMEMBERED).delete()
    code = await DeviceCode.create(
        fingerprint=fingerprint(secret),
        user_code="".join(secrets.choice(ALPHABET) for _ in range(8)),
        client=needs.client,
        host_label=plain(needs.host_label),
        user_label=plain(needs.user_label),
        system=plain(needs.system),
        wanted_board=plain(needs.board),
        wanted_agent=plain(needs.agent, 200),
        address=address[:64],
        expires_at=now + LIFE,
        interval_seconds=INTERVAL,
    )
    return Asked(code, secret)


class NotYet(Exception):
    """Why a terminal gets no token now, in the words of RFC 8628 and RFC 6749."""

    def __init__(self, error: str, sentence: str) -> None:
        super().__init__(sentence)
        self.error, self.sentence = error, sentence


PENDING = "authorization_pending", "Nobody has answered yet."
SLOW_DOWN = "slow_down", "You ask too often. Wait 5 seconds longer between two requests from now on."
REFUSED = "access_denied", "The person refused this terminal."
EXPIRED = "expired_token", "The code has expired. Ask for a new one."


async def exchange(secret: str) -> Connected:
    """Return the connection of a terminal, once its person has approved it. Raise NotYet otherwise."""
    key = rate_limit_key(client_ip())
    limits.unknown_tokens.check(key)
    polled = await _poll(system(), fingerprint(secret))
    if polled is None:
        limits.unknown_tokens.failed(key)
        raise NotYet("invalid_grant", "There is no such device code.")
    code, is_early = polled
    _require_approved(code, is_early=is_early)
    person = await user_actor(code.user_id, ("none", None)) if code.user_id is not None else None
    board = await Board.get_or_none(id=code.board_id, deleted_at=None)
    if person is None or board is None:
        raise NotYet("access_denied", "The person or the board is gone.")
    try:
        return await connect(person, board, code)
    except Conflict as error:
        raise NotYet("invalid_grant", error.sentence) from None
    except (Forbidden, NotFound) as error:
        raise NotYet("access_denied", error.sentence) from None


def _require_approved(code: DeviceCode, *, is_early: bool) -> None:
    if code.state == "used":
        raise NotYet("invalid_grant", USED)
    if code.state == "refused":
        raise NotYet(*REFUSED)
    if code.expires_at <= times.clock_now():
        raise NotYet(*EXPIRED)
    if code.state != "approved":
        raise NotYet(*(SLOW_DOWN if is_early else PENDING))


@command("device.poll")
async def _poll(actor: Actor, fingerprint: str) -> tuple[DeviceCode, bool] | None:
    """Return the code of a terminal that asks again, and whether it came too early, which makes its interval longer."""
    code = await DeviceCode.select_for_update().get_or_none(fingerprint=fingerprint)
    if code is None:
        return None
    now = times.clock_now()
    wait = timedelta(seconds=code.interval_seconds) - TOLERANCE
    is_early = code.polled_at is not None and now - code.polled_at < wait
    code.polled_at, code.interval_seconds = now, code.interval_seconds + (SLOWER if is_early else 0)
    await code.save(update_fields=["polled_at", "interval_seconds"])
    return code, is_early


def spelled(user_code: str) -> str:
    """Return a code as people read it: `KWPT-7QJX`."""
    return f"{user_code[:4]}-{user_code[4:]}"


def typed(user_code: str) -> str:
    # No code is longer than its column, which takes nothing longer, also to look for it.
    return "".join(letter for letter in user_code[:40].upper() if letter in ALPHABET)[:16]


@dataclass(frozen=True, slots=True)
class Shown:
    """A terminal that asks, as its person sees it."""

    code: DeviceCode
    state: str  # as it is stored, or `expired`
    is_mine: bool  # the reader answered it
    is_same_address: bool
    choices: Sequence[Choice]
    chosen: Choice | None

    @property
    def spelled(self) -> str:
        return spelled(self.code.user_code)


async def code_named(actor: Actor, user_code: str) -> DeviceCode:
    """Return the terminal with a code that a person typed. Raise Forbidden for a wrong one, TooMany after ten."""
    async with attempt(code=str(actor.id)):
        code = await DeviceCode.get_or_none(user_code=typed(user_code))
        if code is None:
            raise Forbidden("No terminal waits with this code. Look at it again, or start anew in the terminal.")
    return code


async def looked_up(actor: Actor, user_code: str) -> tuple[Shown | None, str]:
    try:
        return await _shown(actor, await code_named(actor, user_code)), ""
    except Forbidden as wrong:
        return None, wrong.sentence


async def _shown(actor: Actor, code: DeviceCode) -> Shown:
    is_over = code.state in ("pending", "approved") and code.expires_at <= times.clock_now()
    state = "expired" if is_over else code.state
    choices = await choices_of(actor, code.client, code.wanted_agent) if state == "pending" else []
    here = rate_limit_key(client_ip())
    return Shown(
        code=code,
        state=state,
        is_mine=code.user_id == actor.id,
        is_same_address=rate_limit_key(code.address) == here,
        choices=choices,
        chosen=await _likely(actor, code, choices),
    )


async def _likely(actor: Actor, code: DeviceCode, choices: Sequence[Choice]) -> Choice | None:
    """Return what a terminal named, else what its person connected last from there or by that program, else the first.

    A board that was named, or used last, comes before others.
    """
    on_board = [choice for choice in choices if _is_named(code.wanted_board, choice.board_id, choice.board_name)]
    choices = on_board or choices
    for choice in choices:
        if choice.agent_id and _is_named(code.wanted_agent, choice.agent_id, choice.agent_name):
            return choice
    last = await Connection.filter(user_id=actor.id).order_by("-created_at").limit(100)
    if code.wanted_agent is None and (connected := _connected(code, choices, last)) is not None:
        return connected
    new_on = {choice.board_id: choice for choice in reversed(choices) if choice.agent_id is None}
    used = (new_on[before.board_id] for before in last if before.board_id in new_on)
    return next(used, choices[0] if choices else None)


def _connected(code: DeviceCode, choices: Sequence[Choice], last: Sequence[Connection]) -> Choice | None:
    by_agent = {choice.agent_id: choice for choice in reversed(choices)}
    same_program = [before for before in last if before.client == code.client and before.agent_id in by_agent]
    agents = (before.agent_id for before in sorted(same_program, key=lambda it: it.host_label != code.host_label))
    return by_agent[agent_id] if (agent_id := next(agents, None)) is not None else None


def _is_named(wanted: str | None, id: UUID, name: str) -> bool:
    return wanted is not None and (parse_id(wanted) == id or wanted.casefold() == name.casefold())


class CodeForm(Schema):
    """The code of a terminal."""

    user_code: str = ""


class ApprovalForm(CodeForm):
    """The code of a terminal, and which agent it is to be: `<board>:<agent>`, or `<board>:new`."""

    agent: str = ""


async def approve(form: ApprovalForm) -> DeviceCode:
    """Let the terminal with a code work as the agent that its person chose."""
    actor = await signed_in()
    code = await code_named(actor, form.user_code)
    choices = await choices_of(actor, code.client, code.wanted_agent)
    chosen = next((choice for choice in choices if choice.value == form.agent), None)
    if chosen is None:
        raise Invalid("This agent can no longer be chosen. Choose another one.")
    board = await Board.get(id=chosen.board_id)
    return await _approve(actor, board, code, chosen.agent_id)


@command("agent.connect")
async def _approve(actor: Actor, board: Board, code: DeviceCode, agent_id: UUID | None) -> DeviceCode:
    if code.client in unheld_programs() and (board.call_rules or {}).get("must"):
        raise Invalid(
            f"{program_name(code.client)} cannot be held until somebody says yes, which rules of this board want of"
            " calls. Choose another board, or change its rules for calls."
        )
    return await _answer(code, state="approved", user_id=actor.id, board_id=board.id, agent_id=agent_id)


async def _answer(code: DeviceCode, **values: object) -> DeviceCode:
    """Store the answer of a person. Raise Conflict when the code was answered before, or has expired."""
    locked = await DeviceCode.select_for_update().get_or_none(id=code.id)
    if locked is None or locked.expires_at <= times.clock_now():
        raise Conflict("The code has expired. Start anew in the terminal.")
    if locked.state != "pending":
        raise Conflict("This was answered already.")
    await locked.update_from_dict(values).save(update_fields=list(values))
    return locked


@rule("device.refuse")
def may_refuse(actor: Actor, code: DeviceCode) -> bool:
    """Every person who has the code."""
    return actor.is_user


async def refuse(form: CodeForm) -> DeviceCode:
    """Refuse the terminal with a code."""
    actor = await signed_in()
    return await _refuse(actor, await code_named(actor, form.user_code))


@command("device.refuse")
async def _refuse(actor: Actor, code: DeviceCode) -> DeviceCode:
    return await _answer(code, state="refused", user_id=actor.id)
