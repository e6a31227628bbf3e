"""The table of error codes is what raisers use: no code beside it, none in it that nobody raises."""

import ast
from typing import Any

from mission_control.api_docs.guide import FOR_WORKERS
from mission_control.core.errors import DomainError, ErrorCode
from tests.cast import Cast
from tests.contract.source import trees

TABLE = "core.error_codes"


def statuses(kind: type[DomainError] = DomainError) -> set[int]:
    return {kind.status}.union(*(statuses(one) for one in kind.__subclasses__()))


def test_every_status_has_a_code(cast: Cast) -> None:
    assert {ErrorCode.of_status(status) for status in statuses()} <= set(ErrorCode)


def test_every_code_that_is_raised_is_in_the_table() -> None:
    beside = [
        f"{name}:{node.lineno}: {ast.unparse(value)}"
        for name, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict) and "message" in (keys := _keys(node)) and (value := keys.get("code")) is not None
        if isinstance(value, ast.Constant | ast.JoinedStr)
    ]
    assert beside == []


def test_every_code_of_the_table_is_raised(cast: Cast) -> None:
    used = {
        node.attr
        for name, tree in trees()
        if name != TABLE
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ErrorCode"
    }
    of_status = {ErrorCode.of_status(status).name for status in statuses() | {421, 500}}  # said without an error
    assert {code.name for code in ErrorCode} - of_status - used == set()


async def test_document_enumerates_the_codes_with_their_sentences(cast: Cast) -> None:
    schemas = (await cast.nobody.get("/openapi.json")).ok()["components"]["schemas"]
    codes = schemas["ErrorCode"]
    assert codes["enum"] == list(ErrorCode)
    assert codes["x-enum-descriptions"] == [code.sentence for code in ErrorCode]
    for name in ("ErrorResponse", "HTTPValidationError"):
        assert _mentions(schemas[name]["properties"]["code"], "#/components/schemas/ErrorCode")


async def test_pages_for_people_and_models_list_the_codes(cast: Cast) -> None:
    docs, llms = [await _text(cast, path) for path in ("/docs", "/llms.txt")]
    assert [code for code in ErrorCode if f"<code>{code}</code>" not in docs] == []
    assert [code for code in FOR_WORKERS if f"- `{code}`: {code.sentence}" not in llms] == []


async def _text(cast: Cast, path: str) -> str:
    response = await cast.app.test_client().get(path)
    text: Any = await response.get_data(as_text=True)
    return str(text)


def _keys(node: ast.Dict) -> dict[str, ast.expr]:
    pairs = zip(node.keys, node.values, strict=True)
    return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}


def _mentions(schema: Any, reference: str) -> bool:
    return reference in str(schema)
