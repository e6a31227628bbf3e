"""Forms with a field for each setting of a channel, `value_` before its name."""

from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import ConfigDict
from quart import request

from mission_control.channels.channel import Setting
from mission_control.web.forms import Form

FIELD = "value_"


class TypedForm(Form):
    """What was typed, also for the settings of a channel, whatever their names are."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    async def read(cls) -> Self:
        sent = (await request.form).items()
        return cls.model_validate(
            {name: one for name, one in sent if name in cls.model_fields or name.startswith(FIELD)}
        )

    @property
    def values(self) -> dict[str, str]:
        return {name.removeprefix(FIELD): one for name, one in (self.model_extra or {}).items()}


def by_setting(settings: Iterable[Setting], errors: Mapping[str, str]) -> dict[str, str]:
    fields = {one.name: f"{FIELD}{one.name}" for one in settings}
    fields |= {name: name for name in ("name", *fields.values())}
    return {fields.get(name, ""): sentence for name, sentence in errors.items()}
