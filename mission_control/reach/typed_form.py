"""Forms with a field for each setting of a channel, `value_` before its name."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from quart import request

from mission_control.reach.channel import Setting
from mission_control.web.forms import Form

FIELD = "value_"


class TypedForm(Form):
    """What was typed for the settings of a channel, by their names."""

    values: dict[str, str] = {}

    @classmethod
    async def read(cls) -> Self:
        sent = await request.form
        values = {name.removeprefix(FIELD): one for name, one in sent.items() if name.startswith(FIELD)}
        given: dict[str, Any] = {name: sent[name] for name in cls.model_fields if name in sent and name != "values"}
        return cls(values=values, **given)

    def fields(self) -> dict[str, Any]:
        """Return what was typed as the page shows it again."""
        return {**self.model_dump(exclude={"values"}), **{f"{FIELD}{name}": one for name, one in self.values.items()}}


def by_setting(settings: Iterable[Setting], errors: Mapping[str, str]) -> dict[str, str]:
    """Return the reasons of a refusal by the fields of a form that has one for each setting."""
    known = {one.name for one in settings}
    return {f"{FIELD}{name}" if name in known else "": sentence for name, sentence in errors.items()}
