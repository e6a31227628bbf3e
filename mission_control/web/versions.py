"""Versions of what a form shows: a mark of each field, by which a later write notices what somebody else changed."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import Conflict
from mission_control.core.ids import fingerprint


class EditConflict(Conflict):
    """Somebody else changed fields that a form shows to other values than the form sends."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(ErrorCode.EDIT_CONFLICT.detail(fields=fields))
        self.fields = fields


def version_of(thing: Any, names: Iterable[str]) -> str:
    """The marks of some fields of a thing, as the hidden field `version` of a form."""
    return version_of_values({name: getattr(thing, name) for name in names})


def version_of_values(values: Mapping[str, Any]) -> str:
    """The same of values that are no fields of one thing."""
    return urlencode({name: _mark(value) for name, value in values.items()})


def _mark(value: Any) -> str:
    return fingerprint(json.dumps(value, sort_keys=True, default=str))[:12]


def refuse_changed(thing: Any, version: str, wanted: Mapping[str, Any]) -> None:
    """Raise EditConflict when a field of the version has another value now, and one that is not wanted either."""
    named = [name for name, _ in parse_qsl(version) if name in wanted]
    refuse_changed_values({name: getattr(thing, name) for name in named}, version, wanted)


def refuse_changed_values(present: Mapping[str, Any], version: str, wanted: Mapping[str, Any]) -> None:
    """The same of values that are no fields of one thing."""
    changed = [
        name
        for name, mark in parse_qsl(version)
        if name in wanted and mark != _mark(present.get(name)) and wanted[name] != present.get(name)
    ]
    if changed:
        raise EditConflict(changed)
