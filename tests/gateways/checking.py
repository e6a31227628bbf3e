"""Holds values against the shapes of `protocol.json`, and says what is wrong as gateways do."""

import json
from functools import cache
from typing import Any

from tests.gateways.published import FILE

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "object": (dict,),
    "array": (list,), "null": (type(None),),
}  # fmt: skip
# What gateways of 2026.9.6 take beyond the published package, which ends at 2026.9.1.
TAKEN_SINCE: dict[str, dict[str, str]] = {"agents.files.set": {"expectedHash": "string"}}


@cache
def protocol() -> dict[str, Any]:
    """The used part of the published protocol."""
    read: dict[str, Any] = json.loads(FILE.read_text())
    return read


def params_problem(method: str, params: Any) -> str | None:
    """Return why a gateway refuses the params of a method, in its words; None where it takes them."""
    shape = protocol()["methods"].get(method, {}).get("params")
    if shape is None:
        return None
    problem = problem_of(shape | TAKEN_SINCE.get(method, {}), params)
    return None if problem is None else f"invalid {method} params: {problem}"


def problem_of(shape: Any, value: Any, at: str = "", *, is_open: bool = False) -> str | None:
    """Return why a value does not have a shape. With `is_open`, unknown fields are fine: a newer side sends them."""
    if isinstance(shape, str):
        return None if _is_one_of(shape, value) else f"at {at or 'root'}: must be {shape}"
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"at {at or 'root'}: must be array"
        problems = (problem_of(shape[0], one, f"{at}/{index}", is_open=is_open) for index, one in enumerate(value))
        return next((one for one in problems if one), None)
    if "either" in shape:
        problems_of_all = [problem_of(one, value, at, is_open=is_open) for one in shape["either"]]
        return None if None in problems_of_all else f"{problems_of_all[0]}; must match a schema in anyOf"
    return _problem_of_object(shape, value, at, is_open)


def _problem_of_object(shape: dict[str, Any], value: Any, at: str, is_open: bool) -> str | None:
    if not isinstance(value, dict):
        return f"at {at or 'root'}: must be object"
    for name in shape:
        if name.endswith("!") and name[:-1] not in value:
            return f"{f'at {at}: ' if at else ''}must have required property '{name[:-1]}'"
    for name, one in value.items():
        known = shape.get(f"{name}!", shape.get(name))
        if known is None:
            if not is_open and "..." not in shape:
                return f"at {at or 'root'}: unexpected property '{name}'"
        elif (problem := problem_of(known, one, f"{at}/{name}", is_open=is_open)) is not None:
            return problem
    return None


def _is_one_of(kinds: str, value: Any) -> bool:
    for kind in kinds.split("|"):
        if kind == "any" or (kind == "null" and value is None):
            return True
        if kind in KINDS:
            if isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool)):
                return True
        elif kind not in ("", "null") and json.loads(kind) == value:
            return True
    return False
