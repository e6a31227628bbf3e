"""The pages of groups: the list, a new one, its fields and boards, deleting it."""

from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from quart.typing import ResponseReturnValue

from mission_control.agents.pages import PACES as AGENT_PACES
from mission_control.boards.queries import board_rows, boards_of
from mission_control.core.actor import Actor
from mission_control.core.errors import Invalid
from mission_control.core.paging import Paging
from mission_control.core.policy import can, require
from mission_control.core.schemas import NonEmptyStr, OptionalText
from mission_control.database.sql import Row
from mission_control.groups.models import BoardGroup
from mission_control.groups.queries import entries_of, list_groups, reachable_group
from mission_control.web.actions import Outcome, Refusal, action, again
from mission_control.web.forms import EditConflict, Fields, Form, FormInvalid, TypedName, VersionedForm, go, is_htmx
from mission_control.web.fragments import render_macro
from mission_control.web.lists import Asked, LiveList, Order, Pages, greatest
from mission_control.web.regions import Concerns, View
from mission_control.web.shell import shell_page, signed_in

Name = Annotated[NonEmptyStr, Field(max_length=200)]
LABELS = {"name": "Name", "description": "Description", "board_ids": "Boards", "number": "Every", "unit": "Unit"}
# How often agents are looked after, as people choose it.
PACES = (*AGENT_PACES, ("other", "Another interval"))
UNITS = (("s", "seconds"), ("m", "minutes"), ("h", "hours"), ("d", "days"))


class NewGroupForm(Form):
    """A new group."""

    name: Name
    description: OptionalText = Field(None, max_length=10_000)
    board_ids: list[UUID] = Field(default_factory=list, max_length=200)

    def body(self, found: BoardGroup | None) -> Fields:
        return self.model_dump() | {"slug": ""}


class GroupForm(VersionedForm):
    """The fields and the boards of a group."""

    name: Name
    description: OptionalText = Field(None, max_length=10_000)
    board_ids: list[UUID] = Field(default_factory=list, max_length=200)

    @classmethod
    def values_of(cls, group: BoardGroup) -> dict[str, object]:
        boards = [board.id for board in group.boards]
        return {"name": group.name, "description": group.description, "board_ids": boards}


class GroupDeletionForm(TypedName):
    """The deletion of a group."""

    what = "group"


class PaceForm(Form):
    """How often the agents of a group are looked after."""

    every: str = Field("10m", max_length=10)
    number: Annotated[int | None, Field(ge=0, le=99_999)] = None
    unit: str = Field("m", pattern="^[smhd]$")
    include_board_leads: bool = False

    def body(self, found: BoardGroup) -> Fields:
        if self.every == "other" and self.number is None:
            raise FormInvalid(self.model_dump(), {"number": "Enter a number."})
        every = f"{self.number}{self.unit}" if self.every == "other" else self.every
        return {"every": every, "include_board_leads": self.include_board_leads}


def in_words(every: str) -> str:
    """Return an interval such as `10m` in words."""
    number, unit = every[:-1], dict(UNITS).get(every[-1:], "")
    if not number.isdecimal() or not unit:
        return every
    if int(number) == 0:
        return "never"
    return f"every {unit.removesuffix('s')}" if int(number) == 1 else f"every {int(number)} {unit}"


pages = Pages("groups_pages", __name__)
GROUP = "/groups/<uuid:group_id>"
FORM = "groups/form.html"


async def on_group(group_id: UUID) -> tuple[Actor, BoardGroup]:
    """Return the person who asks, in the organization of a group that exists for them, and the group."""
    actor = await signed_in()
    group = await reachable_group(actor, group_id)
    return replace(actor, organization_id=group.organization_id), group


async def group_of_page(actor: Actor, group_id: UUID) -> BoardGroup:
    """Return the group that a form is about, in whose organization the actor acts."""
    return await reachable_group(actor, group_id)


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group of the list, with rows of those of its boards that the reader sees."""

    group: BoardGroup
    boards: list[Row]

    def total(self, name: str) -> int:
        """Return the sum of a figure of the boards."""
        return sum(one[name] for one in self.boards)


ORDERS = {
    "name": Order("by name"),
    "boards": greatest("most boards", lambda one: len(one.boards)),
    "waiting": greatest("most to decide", lambda one: one.total("pending")),
    "working": greatest("most in progress", lambda one: one.total("in_progress")),
}


async def _listed(actor: Actor, asked: Asked) -> dict[str, object]:
    groups, _ = await list_groups(actor, Paging(limit=200, offset=0))
    boards: dict[str, list[Row]] = {}
    for row in await board_rows(actor):
        boards.setdefault(str(row["board_group_id"]), []).append(row)
    found = [ListedGroup(group, boards.get(str(group.id), [])) for group in groups]
    may_create = can(actor, "board_group.create", actor.organization_id)
    return {"groups": ORDERS[asked.order].sorted(found), "may_create": may_create}


LiveList(
    pages=pages, place="groups", path="/groups", template="groups/index.html", read=_listed, orders=ORDERS,
    blocks=("groups",), news=Concerns[View](("board_group.", "board.", "task.", "approval.", "member.")),
)  # fmt: skip


@pages.get("/groups/new")
async def new_group() -> str:
    """Show the form of a new group."""
    actor = await signed_in()
    require(actor, "board_group.create", actor.organization_id)
    return await _form(actor, None, {"board_ids": []}, {})


async def _form(actor: Actor, group: BoardGroup | None, values: dict[str, Any], errors: dict[str, str]) -> str:
    groups, _ = await list_groups(actor, Paging(limit=200, offset=0))
    return await shell_page(
        actor,
        FORM,
        active=f"group-{group.id}" if group else "groups",
        group=group,
        boards=[(board, can(actor, "board.update", board)) for board in await boards_of(actor)],
        names={one.id: one.name for one in groups},
        chosen={str(one) for one in values.get("board_ids") or ()},
        values=values,
        errors=errors,
        labels=LABELS,
    )


@action(pages, "/groups/new", form=NewGroupForm, refused=again(_form, FormInvalid, Invalid))
async def create_board_group(outcome: Outcome[None, NewGroupForm]) -> ResponseReturnValue:
    """Create a group and open it."""
    return go(f"/groups/{outcome.answer.id}")


@pages.get(f"{GROUP}/edit")
async def edit_form(group_id: UUID) -> str:
    """Show the form of a group."""
    actor, group = await on_group(group_id)
    require(actor, "board_group.update", group)
    return await _form(actor, group, GroupForm.shown(group), {})


async def _not_edited(refusal: Refusal[BoardGroup, GroupForm]) -> ResponseReturnValue:
    refusal.only(EditConflict, FormInvalid, Invalid)
    group = await reachable_group(refusal.actor, refusal.found.id)
    return await _form(refusal.actor, group, refusal.values, refusal.errors)


@action(pages, f"{GROUP}/edit", form=GroupForm, at=group_of_page, refused=_not_edited)
async def update_board_group(outcome: Outcome[BoardGroup, GroupForm]) -> ResponseReturnValue:
    """Change a group and its boards."""
    return go(f"/groups/{outcome.found.id}")


@pages.get(f"{GROUP}/delete")
async def delete_form(group_id: UUID) -> str:
    """Ask before a group is deleted, and name the consequences: a dialog for htmx, else a page."""
    actor, group = await on_group(group_id)
    require(actor, "board_group.delete", group)
    return await _delete_page(actor, group, {})


async def _delete_page(actor: Actor, group: BoardGroup, errors: dict[str, str]) -> str:
    context: dict[str, object] = {"group": group, "entries": await entries_of(group), "errors": errors}
    if is_htmx():
        return render_macro("groups/delete_form.html", "delete_dialog", **context)
    return await shell_page(actor, "groups/delete.html", active=f"group-{group.id}", **context)


async def _not_deleted(refusal: Refusal[BoardGroup, GroupDeletionForm]) -> ResponseReturnValue:
    refusal.only(FormInvalid)
    return await _delete_page(refusal.actor, refusal.found, refusal.errors)


@action(pages, f"{GROUP}/deletion", form=GroupDeletionForm, at=group_of_page, refused=_not_deleted)
async def delete_board_group(outcome: Outcome[BoardGroup, GroupDeletionForm]) -> ResponseReturnValue:
    """Delete a group."""
    return go("/groups")
