"""`ETag` on reads of one thing, `If-None-Match` on them, `If-Match` on its writes."""

import asyncio
import hashlib
import json
import re

from quart import Response, request
from tortoise.models import Model

from mission_control.core.actor import Actor
from mission_control.core.error_codes import ErrorCode
from mission_control.core.errors import DomainError
from mission_control.core.json import json_in_turns, to_json
from mission_control.http.compression import in_pieces, is_large, json_response
from mission_control.operations.registry import Ids, Operation, read_of, started_by


class PreconditionFailed(DomainError):
    """The thing is not as the caller believed; the detail carries it as it is now."""

    status = 412


def tag_of(*pieces: bytes) -> str:
    """Return the entity tag of an answer: 128 bits of its SHA-256."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return f'"{digest.hexdigest()[:32]}"'


def answered(entry: Operation, answer: object) -> Response:
    """Return the answer of a write as it is sent, with the tag of its state."""
    if isinstance(answer, Response):
        return answer
    response = json_response(body := to_json(answer), entry.status)
    return tagged(response, tag_of(body)) if entry.sends_etag else response


async def read_answered(entry: Operation, answer: object) -> Response:
    """Return the answer of a read as it is sent; a large one holds up nobody."""
    if isinstance(answer, Response):
        return answer
    pieces = await json_in_turns(answer)
    if is_large(pieces):
        response = in_pieces(pieces, entry.status)
        return tagged(response, await asyncio.to_thread(tag_of, *pieces)) if entry.sends_etag else response
    response = json_response(body := b"".join(pieces), entry.status)
    return tagged(response, tag_of(body)) if entry.sends_etag else response


async def located(entry: Operation, response: Response) -> Response:
    """Return the answer of an operation that starts long work with the address that says how far it is."""
    if (read := started_by(entry)) is not None:
        started = json.loads(await response.get_data(as_text=True))
        response.headers["Location"] = re.sub(r"<\w+>", started["id"], read.path)
    return response


def tagged(response: Response, tag: str) -> Response:
    """Return an answer with its tag, or 304 when the caller has it already."""
    response.headers["ETag"] = tag
    if request.method == "GET" and _names(request.headers.get("If-None-Match", ""), tag):
        return Response("", 304, {"ETag": tag})
    return response


async def require_match(entry: Operation, actor: Actor, ids: Ids, found: object, wanted: str) -> None:
    """Hold the thing and refuse with 412 unless it is what `If-Match` names. Needs a running transaction."""
    read = read_of(entry)
    assert read is not None
    await _hold(found)
    state = await current_state(read, actor, ids)
    tag = tag_of(to_json(state))
    if not _names(wanted, tag):
        raise PreconditionFailed(
            ErrorCode.PRECONDITION_FAILED.detail("This has changed since you read it.", etag=tag, current=state)
        )


async def current_state(read: Operation, actor: Actor, ids: Ids) -> object:
    """Return what the read operation of a thing answers now."""
    if read.finder is None:
        return await read.handler(actor, **ids)
    return await read.handler(actor, await read.finder(actor, **ids))


async def _hold(found: object) -> None:
    things = found if isinstance(found, tuple) else (found,)
    for thing in things:
        if isinstance(thing, Model):
            await type(thing).select_for_update(no_key=True).filter(pk=thing.pk).first()


def _names(header: str, tag: str) -> bool:
    listed = [one.strip().removeprefix("W/") for one in header.split(",")]
    return "*" in listed or tag in listed
