"""Who acts, what they may, what their tokens may, and where an event belongs."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from mission_control.core.errors import Forbidden
from mission_control.core.extensions import Part, add, marked

# Where something was done: api, page, mcp, gateway, system, or the kind of a channel (`channels/`), such as telegram.
type Surface = str


class BoardLike(Protocol):
    """What a rule reads of a board."""

    id: UUID
    organization_id: UUID
    gateway_id: UUID | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's membership of one organization, with the boards granted one by one."""

    id: UUID
    organization_id: UUID
    organization_name: str
    role: str
    all_boards_read: bool
    all_boards_write: bool
    boards: Mapping[UUID, tuple[bool, bool]] = field(default_factory=dict)

    def reaches(self, board_id: UUID, *, write: bool) -> bool:
        if self.all_boards_write or (self.all_boards_read and not write):
            return True
        can_read, can_write = self.boards.get(board_id, (False, False))
        return can_write or (can_read and not write)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an agent or the system, as seen by one request.

    An agent reaches its board; the main agent of a gateway, which has no board, reaches the boards of `gateway_id`.
    `credential` says by what the caller is known: `channel` is a chat of an organization, which vouches for a person.
    `expires_at` is the end of a token; `scopes` are those of an agent's (None: all); `fence` is the assignment in whose
    name an agent writes. `zone` names the time zone that a person chose (`core/times.py` reads it).
    `news` names what waits for an agent: something `new`, and what was `offered` to it and not yet taken.
    """

    kind: Literal["user", "agent", "system"]
    id: UUID | None
    name: str
    organization_id: UUID
    surface: Surface = "api"
    memberships: Mapping[UUID, Membership] = field(default_factory=dict)
    board_id: UUID | None = None
    gateway_id: UUID | None = None
    is_lead: bool = False
    credential: tuple[Literal["session", "token", "local", "provider", "channel", "none"], UUID | None] = ("none", None)
    expires_at: datetime | None = None
    scopes: frozenset[str] | None = None
    fence: int | None = None
    zone: str | None = None
    news: str = field(default="", compare=False)

    @property
    def is_user(self) -> bool:
        return self.kind == "user"

    @property
    def is_agent(self) -> bool:
        return self.kind == "agent"

    @property
    def is_main(self) -> bool:
        return self.is_agent and self.board_id is None and self.gateway_id is not None

    @property
    def agent_id(self) -> UUID | None:
        return self.id if self.is_agent else None

    @property
    def user_id(self) -> UUID | None:
        return self.id if self.is_user else None

    def readable_boards(self) -> tuple[list[UUID], list[UUID]]:
        """Return the organizations whose boards are all readable, and single boards of other organizations."""
        whole = [m.organization_id for m in self.memberships.values() if m.all_boards_read or m.all_boards_write]
        single = [
            board
            for m in self.memberships.values()
            for board, (read, write) in m.boards.items()
            if m.organization_id not in whole and (read or write)
        ]
        return whole, single

    def reads(self, board: BoardLike) -> bool:
        return self._reaches(board, write=False)

    def writes(self, board: BoardLike) -> bool:
        return self._reaches(board, write=True)

    def administers(self, organization_id: UUID) -> bool:
        membership = self.memberships.get(organization_id)
        return membership is not None and membership.role in ("owner", "admin")

    def on(self, surface: Surface) -> "Actor":
        return replace(self, surface=surface)

    def _reaches(self, board: BoardLike, *, write: bool) -> bool:
        if self.kind == "system":
            return True
        if self.is_agent:
            reaches = self.gateway_id == board.gateway_id if self.is_main else self.board_id == board.id
            return reaches and self.organization_id == board.organization_id
        membership = self.memberships.get(board.organization_id)
        return membership is not None and membership.reaches(board.id, write=write)


class Personal(Exception):
    """Something depends on who the viewer is, and not only on what they may do."""


class AnyMembership(Membership):
    """A membership of nobody in particular."""

    __slots__ = ()

    @property
    def id(self) -> UUID:
        raise Personal


class AnyPerson(Actor):
    """Any person with certain rights and a zone: the viewer of what is rendered once for all who have the same.

    Whatever asks who it is raises Personal, so what is rendered for it can depend on nothing but `rights_of`.
    """

    __slots__ = ()

    @property
    def id(self) -> UUID | None:
        raise Personal

    @property
    def name(self) -> str:
        raise Personal

    @property
    def credential(self) -> Any:
        raise Personal

    @classmethod
    def like(cls, person: Actor) -> "AnyPerson":
        made = cls.__new__(cls)
        memberships = {membership.organization_id: _anybodys(membership) for membership in person.memberships.values()}
        rights = {name: getattr(person, name) for name in ("kind", "organization_id", "surface", "scopes", "zone")}
        nothing = dict.fromkeys(("board_id", "gateway_id", "expires_at", "fence"))
        for name, value in {**rights, **nothing, "is_lead": False, "news": "", "memberships": memberships}.items():
            object.__setattr__(made, name, value)
        return made


# What a membership has of anybody with equal rights.
_RIGHTS = tuple(attribute.name for attribute in fields(Membership) if attribute.name != "id")


def _anybodys(membership: Membership) -> AnyMembership:
    made = AnyMembership.__new__(AnyMembership)
    for name in _RIGHTS:
        object.__setattr__(made, name, getattr(membership, name))
    return made


def rights_of(person: Actor) -> tuple[Hashable, ...]:
    memberships = frozenset(
        tuple(frozenset(m.boards.items()) if name == "boards" else getattr(m, name) for name in _RIGHTS)
        for m in person.memberships.values()
    )
    return person.kind, person.organization_id, person.surface, person.scopes, person.zone, memberships


def system(organization_id: UUID | None = None) -> Actor:
    """Return the program itself, acting in an organization, or in none."""
    return Actor("system", None, "Mission Control", organization_id or UUID(int=0), surface="system")


Rule = Callable[[Actor, Any], bool]

# The installed rules, by verb.
RULES: dict[str, Rule] = {}


def rule(*verbs: str) -> Callable[[Rule], Rule]:
    """Declare who may do any of these verbs to a thing."""

    def install(function: Rule) -> None:
        for verb in verbs:
            add(RULES, verb, function)

    return lambda function: marked(function, install)


class OnlySystem(Part):
    """Verbs of what only the system itself does."""

    def __init__(self, *verbs: str) -> None:
        self._verbs = verbs

    def install(self) -> None:
        for verb in self._verbs:
            add(RULES, verb, only_the_system)


def only_the_system(actor: Actor, thing: object) -> bool:
    """Nobody else: `can` asks no rule about the system."""
    return False


def can(actor: Actor, verb: str, thing: object = None) -> bool:
    """Return whether the actor may; raises KeyError for an unknown verb, which is a programming error."""
    return actor.kind == "system" or RULES[verb](actor, thing)


def require(actor: Actor, verb: str, thing: object = None) -> None:
    """Refuse with 403 unless the actor may."""
    if not can(actor, verb, thing):
        raise Forbidden()


@dataclass(frozen=True, slots=True)
class Scope:
    """The organization whose log takes an event, and the things the event is about."""

    organization_id: UUID
    board_id: UUID | None = None
    task_id: UUID | None = None
    agent_id: UUID | None = None
    subject_id: UUID | None = None


class Scoped(Protocol):
    """Anything that knows where events about it belong."""

    def scope(self) -> Scope:
        """The scope of events about this thing."""
        ...
