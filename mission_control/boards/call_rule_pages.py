"""The rules of a board for the calls of programs, as a page: patterns, line by line, and who changed them when."""

from typing import Any, NamedTuple

import orjson
from pydantic import Field, ValidationError
from quart.typing import ResponseReturnValue

from mission_control.boards.forms import TypedBoardChange
from mission_control.boards.models import Board
from mission_control.boards.schemas import CallRules
from mission_control.core.actor import Actor
from mission_control.core.programs import program_name, unheld_programs
from mission_control.database.sql import as_moment, rows
from mission_control.people.accounts.names import person_name
from mission_control.web.actions import Outcome, action
from mission_control.web.forms import FormInvalid, FormValues, VersionedForm, go, sentences
from mission_control.web.lists import Pages
from mission_control.web.shell import shell_page

pages = Pages("call_pages", __name__)
CALLS = "/boards/<uuid:board_id>/calls"
LABELS = {"allow": "Without asking", "ask": "Asks", "must": "Needs a yes"}
LONGEST = 40_000
SHOWN = 20


class CallRulesForm(VersionedForm):
    allow: str = Field("", max_length=LONGEST)
    ask: str = Field("", max_length=LONGEST)
    must: str = Field("", max_length=LONGEST)

    def body(self, found: Board) -> TypedBoardChange:
        lines = {name: [one for line in getattr(self, name).splitlines() if (one := line.strip())] for name in LABELS}
        try:
            rules = CallRules.model_validate(lines)
        except ValidationError as error:
            raise FormInvalid(self.model_dump(), sentences(error.errors())) from None
        return TypedBoardChange(call_rules=rules)  # type: ignore[call-arg]  # completed by the table of fields

    @classmethod
    def values_of(cls, board: Board) -> FormValues:
        return {name: "\n".join((board.call_rules or {}).get(name, ())) for name in LABELS}


class Changed(NamedTuple):
    who: str
    at: Any
    pattern: str
    name: str
    is_new: bool


_HISTORY = (
    f"SELECT e.data, e.created_at, {person_name('u', 'User')} AS who FROM events e LEFT JOIN users u"
    " ON u.id = e.actor_id WHERE e.board_id = ? AND e.kind = 'board.updated' AND e.data LIKE '%\"call_rules\"%'"
    f" ORDER BY e.seq DESC LIMIT {SHOWN}"
)


async def history_of(board: Board) -> list[Changed]:
    found = []
    for row in await rows(_HISTORY, board.id):
        data = orjson.loads(row["data"])
        before, after = (set(_named(data[name].get("call_rules"))) for name in ("before", "after"))
        at = as_moment(row["created_at"])
        for name, pattern in sorted(before ^ after):
            found.append(Changed(row["who"], at, pattern, name, (name, pattern) in after))
    return found


def _named(rules: dict[str, list[str]] | None) -> list[tuple[str, str]]:
    return [(name, pattern) for name, patterns in (rules or {}).items() for pattern in patterns]


async def _calls(actor: Actor, board: Board, values: FormValues, errors: dict[str, str]) -> str:
    return await shell_page(
        actor, "boards/calls.html", active=f"board-{board.id}", board=board, values=values, errors=errors,
        labels=LABELS, history=await history_of(board), may_set=actor.administers(board.organization_id),
        unheld=[program_name(client) for client in unheld_programs()],
    )  # fmt: skip


@action(pages, CALLS, performs="update_board", form=CallRulesForm, page=CALLS, shows=_calls)
async def change_call_rules(outcome: Outcome[Board, CallRulesForm]) -> ResponseReturnValue:
    return go(f"/boards/{outcome.found.id}/calls")
