"""What the forms of Home send."""

from datetime import datetime, time, timedelta
from itertools import zip_longest
from typing import Annotated

from pydantic import Field, model_validator

from mission_control.asks.kinds import Key
from mission_control.core import clock, zones
from mission_control.core.schemas import BlankToNone
from mission_control.web.forms import Fields, Form

CHANGE, NOW = "change", "now"
MORNING = time(9)
Note = Annotated[Annotated[str, Field(max_length=20_000)] | None, BlankToNone]


def moment_named(word: str) -> datetime | str:
    """Return the moment that a word means where the reader is: `hour`, `tomorrow`, `monday`; any other is a moment."""
    zone = zones.reader()
    today = zones.today(zone)
    if word == "hour":
        return clock.now() + timedelta(hours=1)
    if word == "tomorrow":
        return zones.at(today + timedelta(days=1), MORNING, zone)
    if word == "monday":
        return zones.at(today + timedelta(days=7 - today.weekday()), MORNING, zone)
    return word


class SnoozeForm(Form):
    """Until when a need is put off: a word, a time, or `change` for the next change of it."""

    until: str = Field(max_length=40)

    def body(self, found: Key) -> Fields:
        return {"until_changed": True} if self.until == CHANGE else {"until": moment_named(self.until)}


class SnoozesForm(Form):
    """Until when several needs are put off, or `now` to show them again; they stand in `need`, or in `needs`."""

    until: str = Field(max_length=40)
    need: list[str] = Field(default_factory=list, max_length=200)
    needs: str = Field("", max_length=20_000)

    def body(self, found: None) -> Fields:
        ids = self.need or [one for one in self.needs.split(",") if one]
        if self.until in (CHANGE, NOW):
            return {"ids": ids, "until_changed": self.until == CHANGE, "show": self.until == NOW}
        return {"ids": ids, "until": moment_named(self.until)}


class SelectionForm(Form):
    """One answer to many needs, each with its substance in the same order, and the page to go on to."""

    need: list[str] = Field(min_length=1, max_length=200)
    substance: list[str] = Field(default_factory=list, max_length=200)
    answer: str = Field(max_length=80)
    note: Note = None
    next: str = "/"

    @model_validator(mode="after")
    def _note_when_sent_back(self) -> "SelectionForm":
        if self.answer == "send_back" and not self.note:
            raise ValueError("Say what should change.")
        return self

    def body(self, found: None) -> Fields:
        seen = zip_longest(self.need, self.substance[: len(self.need)])
        given = {"answer": self.answer, "note": self.note}
        return {"answers": [{"id": one, "substance": substance, **given} for one, substance in seen]}


class UndoForm(Form):
    """The needs whose answers are taken back, separated by commas, and the page to go on to."""

    needs: str = Field(max_length=20_000)
    next: str = "/"

    def body(self, found: None) -> Fields:
        return {"ids": [one for one in self.needs.split(",") if one]}
