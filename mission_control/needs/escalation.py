"""Whom a board asks by name when nobody has looked for a time: its steps, and whose turn it is."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, PlainSerializer

from mission_control.core import times
from mission_control.core.values import Body, example

MOST_STEPS, MOST_PEOPLE = 2, 20
Rota = Literal["day", "week"]


def _once(people: list[UUID]) -> list[UUID]:
    return list(dict.fromkeys(people))


def _zone(name: str) -> str:
    if not times.exists(name):
        raise ValueError("choose a time zone such as Europe/Zurich")
    return name


class EscalationStep(Body):
    """One step: after how long without anybody looking, and whom to ask then: all of them, or one in turns."""

    after_minutes: Annotated[int, Field(ge=1, le=10_080, description="Since it was asked, looked at, or the last step")]
    user_ids: Annotated[
        list[Annotated[UUID, PlainSerializer(str)]],
        Field(min_length=1, max_length=MOST_PEOPLE, description="People who can answer on the board"),
        AfterValidator(_once),
    ]
    rota: Annotated[
        Rota | None, Field(description="Ask one of them: the next one each day or each week; null asks all of them")
    ] = None


class Escalation(Body):
    """Whom a board asks by name when nobody has looked at something that waits for people."""

    model_config = Body.model_config | example(
        steps=[{"after_minutes": 30, "user_ids": ["01a20f89-2bd7-774c-8be4-ab89967d70a3"]}]
    )

    steps: Annotated[list[EscalationStep], Field(min_length=1, max_length=MOST_STEPS)]
    timezone: Annotated[
        str, AfterValidator(_zone), Field(description="Where the day of a rota begins, at midnight")
    ] = "UTC"

    @property
    def people(self) -> list[UUID]:
        return _once([user_id for step in self.steps for user_id in step.user_ids])

    def due(self, taken: int, since: datetime) -> datetime | None:
        """Return when the next step is due, None after the last one."""
        return since + timedelta(minutes=self.steps[taken].after_minutes) if taken < len(self.steps) else None

    def asked_at(self, taken: int, moment: datetime) -> list[UUID]:
        step = self.steps[taken]
        if step.rota is None:
            return step.user_ids
        return [on_duty(step.user_ids, step.rota, times.day_of(moment, times.named(self.timezone)))]


def on_duty(people: Sequence[UUID], rota: Rota, day: date) -> UUID:
    """Return whose turn it is on a day: each has one day, or one week from Monday on, in their order."""
    turn = day.toordinal() if rota == "day" else (day.toordinal() - 1) // 7
    return people[turn % len(people)]


def escalation_of(stored: Mapping[str, object] | None) -> Escalation | None:
    return Escalation.model_validate(stored) if stored else None
