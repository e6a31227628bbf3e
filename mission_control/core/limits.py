"""Rate limits: how often an address may present wrong credentials, and how many requests a caller has."""

import ipaddress
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from mission_control.core import times
from mission_control.core.actor import Actor
from mission_control.core.errors import ErrorCode, Forbidden, TooMany

MINUTE = 60.0
ROUNDING = 1e-6

# How many /64 networks may use up their failures before the /48 around them is refused.
NEIGHBOURS = 10


class FailureLimit:
    """At most `count` failures per key in a sliding window; counted per process, the oldest keys dropped.

    A failure of a /64 of IPv6 counts for its /48 too, which has ten times the limit: a /48 holds 65,536 of them.
    """

    def __init__(
        self, count: int, window_seconds: float, keys: int = 10_000, now: Callable[[], float] = times.monotonic
    ) -> None:
        self.count = count
        self.window = window_seconds
        self.now = now
        self._keys = keys
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, key: str) -> None:
        """Raise 429 with `Retry-After` while the key has used up its failures."""
        for counted_key, most in self._counted(key):
            moments = self._recent(counted_key)
            if moments and len(moments) >= most:
                raise TooMany(round(moments[0] + self.window - self.now()) + 1)

    def failed(self, key: str) -> None:
        for counted_key, _ in self._counted(key):
            self._failures.setdefault(counted_key, deque()).append(self.now())
            self._failures.move_to_end(counted_key)
        while len(self._failures) > self._keys:
            self._failures.popitem(last=False)

    def failures(self, key: str) -> int:
        return len(self._recent(key) or ())

    @contextmanager
    def attempt(self, *keys: str) -> Iterator[None]:
        """Count a failure when the block raises Forbidden; raise TooMany when a key has used up its failures.

        The failure counts from the start and is taken back after a success, so parallel attempts do not all pass.
        """
        for key in keys:
            self.check(key)
        for key in keys:
            self.failed(key)
        try:
            yield
        except Forbidden:
            raise
        except Exception:
            self.forget(*keys)
            raise
        self.forget(*keys)

    def forget(self, *keys: str) -> None:
        for key in keys:
            for counted_key, _ in self._counted(key):
                if moments := self._failures.get(counted_key):
                    moments.pop()

    def clear(self) -> None:
        self._failures.clear()

    def _counted(self, key: str) -> list[tuple[str, int]]:
        wide = wider(key)
        return [(key, self.count)] + ([(wide, self.count * NEIGHBOURS)] if wide else [])

    def _recent(self, key: str) -> deque[float] | None:
        moments = self._failures.get(key)
        while moments and moments[0] < self.now() - self.window:
            moments.popleft()
        return moments


def wider(key: str) -> str | None:
    try:
        return str(ipaddress.IPv6Network(key).supernet(new_prefix=48)) if key.endswith("::/64") else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller has left: `remaining` of `limit` requests; all of them again in `reset` seconds."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class RequestBudget:
    """A number of requests a minute per caller, refilled evenly; counted per process, the longest unused dropped."""

    def __init__(self, per_minute: int, keys: int = 10_000, now: Callable[[], float] = times.monotonic) -> None:
        self.per_minute = per_minute
        self.now = now
        self._keys = keys
        self._spent: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def spend(self, caller: Hashable, own: int | None = None) -> Allowance | None:
        """Take one request of a budget of its own, else of the usual one (0: no budget, None). Over it: 429."""
        limit = self.per_minute if own is None else own
        if limit == 0:
            return None
        now = self.now()
        spent, at = self._spent.get(caller, (0.0, now))
        spent = max(0.0, min(float(limit), spent) - max(0.0, now - at) * limit / MINUTE)
        if spent + 1 - limit > ROUNDING:
            wait = math.ceil((spent + 1 - limit) * MINUTE / limit)
            message = f"You have {limit} requests a minute. Try again in {max(1, wait)} s."
            refusal = TooMany(wait, ErrorCode.RATE_LIMITED.detail(message))
            refusal.headers |= _allowance(limit, spent).headers()
            raise refusal
        self._spent[caller] = (spent + 1, now)
        self._spent.move_to_end(caller)
        while len(self._spent) > self._keys:
            self._spent.popitem(last=False)
        return _allowance(limit, spent + 1)

    def clear(self) -> None:
        self._spent.clear()


def _allowance(limit: int, spent: float) -> Allowance:
    return Allowance(limit, max(0, math.floor(limit - spent + ROUNDING)), math.ceil(spent * MINUTE / limit - ROUNDING))


unknown_tokens = FailureLimit(20, 60.0)
wrong_passwords = FailureLimit(10, 300.0)
wrong_codes = FailureLimit(10, 300.0)
terminals = FailureLimit(20, 600.0)  # that ask to be signed in
wrong_sign_ins_by_address = FailureLimit(30, 300.0)
wrong_sign_ins_by_account = FailureLimit(10, 300.0)
agent_requests = RequestBudget(600)
person_requests = RequestBudget(600)

TokenScope = Literal["connect", "read", "work", "lead", "admin"]
PersonScope = Literal["read", "work", "admin"]
IMPLIED: dict[str, tuple[str, ...]] = {
    "connect": ("connect",),
    "read": ("read",),
    "work": ("read", "work"),
    "lead": ("read", "work", "lead"),
    "admin": ("read", "work", "admin"),
}
# The verbs' nouns that people's tokens for work are good for.
WORK_NOUNS = {
    *("approval", "gateway_request", "group_memory", "job", "memory", "need", "note", "notification", "question"),
    *("tag", "task", "view"),
}
WORK_TAGS = {"needs", "auth"}
ADMIN_NOUNS = {"invite"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


# What a token lets its holder do. An agent: `connect` (its program reports about itself and its sessions), `read`,
# `work` (reading and writing, and what `connect` lets it do), `lead` (all of it, as the board's lead). A person:
# `read`, `work` (what happens on boards: tasks, memory, answers, decisions), `admin` (all that the person may).
def granted(stored: Iterable[str] | None) -> frozenset[str] | None:
    if stored is None:
        return None
    return frozenset(scope for name in stored for scope in IMPLIED.get(name, ()))


def scope_needed(method: str, *, for_leads: bool = False, for_programs: bool = False) -> TokenScope:
    if for_leads:
        return "lead"
    if for_programs:
        return "connect"
    return "read" if method in SAFE_METHODS else "work"


def scope_needed_of_people(method: str, verb: str | None, tags: Collection[str]) -> TokenScope:
    noun = (verb or "").partition(".")[0]
    if noun in ADMIN_NOUNS:  # the list of invitations has their secrets
        return "admin"
    if method in SAFE_METHODS:
        return "read"
    return "work" if noun in WORK_NOUNS or WORK_TAGS & set(tags) else "admin"


def require_scope(actor: Actor | None, needed: TokenScope) -> None:
    """Raise Forbidden when the token lacks a scope; people and tokens without scopes are unrestricted."""
    enough = {"connect", "work"} if needed == "connect" else {needed}
    if actor is not None and actor.scopes is not None and not enough & actor.scopes:
        message = f"This token may not do that: it lacks the scope {needed}."
        raise Forbidden(ErrorCode.TOKEN_SCOPE_MISSING.detail(message, needed=needed))
