"""Imports with a look before: a board's file is read and kept for a day, and imported as a job."""

import asyncio
import zlib
from datetime import timedelta
from functools import partial
from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core import times
from mission_control.core.actor import Actor, require, rule
from mission_control.core.errors import Conflict, NotFound
from mission_control.core.values import new_id
from mission_control.events.commands import command
from mission_control.http.registry import lookup
from mission_control.people.jobs import commands as jobs
from mission_control.people.jobs.commands import JobRead, JobResult
from mission_control.people.models import Job
from mission_control.tasks.models import CustomField, Tag
from mission_control.transfer.file import BoardFile, BoardImportRead, Dropped, ImportCounts, ImportPreview
from mission_control.transfer.importing import dropped_of, import_here
from mission_control.transfer.models import BoardImport


@rule("board.export")
def may_export(actor: Actor, board: Board) -> bool:
    """People who reach the board."""
    return actor.is_user and actor.reads(board)


@rule("board.import")
def may_import(actor: Actor, organization_id: UUID | None) -> bool:
    """Owners and admins of the organization."""
    return actor.is_user and actor.administers(organization_id or actor.organization_id)


@rule("board_import.change")
def may_change_import(actor: Actor, waiting: BoardImport) -> bool:
    """Who gave the file, as long as they administer its organization."""
    return may_import(actor, waiting.organization_id)


KEPT_FOR = timedelta(days=1)
MOST_LISTED = 200
NO_IMPORT = "There is no such file. Files that nobody imports are kept for a day."
RUNS = "This file is being imported. Its job says how far that is."


@lookup
async def visible_import(actor: Actor, import_id: UUID) -> BoardImport:
    """Return a file that the actor has given to be imported. Otherwise: NotFound."""
    mine = BoardImport.filter(organization_id=actor.organization_id, user_id=actor.user_id)
    found = await mine.get_or_none(id=import_id, created_at__gte=times.clock_now() - KEPT_FOR)
    if found is None:
        raise NotFound(NO_IMPORT)
    return found


def serialize_import(staged: BoardImport) -> BoardImportRead:
    preview = ImportPreview.model_validate(staged.preview)
    return BoardImportRead(id=staged.id, job_id=staged.job_id, created_at=staged.created_at, **preview.model_dump())


async def stage(actor: Actor, organization_id: UUID, file: BoardFile) -> BoardImportRead:
    """Keep a board's file, and return what its import would bring."""
    require(actor, "board.import", organization_id)
    preview = await _preview(organization_id, file)
    content = await asyncio.to_thread(lambda: zlib.compress(file.model_dump_json().encode()))
    return serialize_import(await _keep(actor, organization_id, content, preview))


@command("board.import")
async def _keep(actor: Actor, organization_id: UUID, content: bytes, preview: ImportPreview) -> BoardImport:
    await BoardImport.filter(created_at__lt=times.clock_now() - KEPT_FOR).delete()
    staged = BoardImport(
        id=new_id(),
        organization_id=organization_id,
        user_id=actor.user_id,
        content=content,
        preview=preview.model_dump(mode="json"),
    )
    await staged.save(force_create=True)
    return staged


async def _preview(organization_id: UUID, file: BoardFile) -> ImportPreview:
    slugs, keys = [tag.slug for tag in file.tags], [field.field_key for field in file.custom_fields]
    tags = {tag.slug for tag in await Tag.filter(organization_id=organization_id, slug__in=slugs)}
    fields = CustomField.filter(organization_id=organization_id, field_key__in=keys)
    types = dict(await fields.values_list("field_key", "field_type"))
    dropped = await dropped_of(organization_id, file)
    for field in file.custom_fields:
        if types.get(field.field_key, field.field_type) != field.field_type:
            where = f"it is {types[field.field_key]} here"
            dropped.append(Dropped(what="custom field", name=field.field_key, where=where))
    return ImportPreview(
        name=file.board.name,
        exported_at=file.exported_at,
        is_name_taken=await Board.filter(
            organization_id=organization_id, name=file.board.name, deleted_at=None
        ).exists(),
        counts=ImportCounts.of(file),
        new_tags=[tag.name for tag in file.tags if tag.slug not in tags],
        new_custom_fields=[field.label for field in file.custom_fields if field.field_key not in types],
        dropped=dropped[:MOST_LISTED],
        dropped_total=len(dropped),
    )


async def start(actor: Actor, staged: BoardImport) -> JobRead:
    """Import a file as a job. Raise Conflict while it is being imported, or when it was."""
    require(actor, "board.import", staged.organization_id)
    name = ImportPreview.model_validate(staged.preview).name
    work = partial(_in_job, actor, staged)
    return await jobs.start(actor, "board_import", f"Import {name}", work, claim=partial(_claim, staged))


async def _claim(staged: BoardImport, job_id: UUID) -> None:
    """Give a file to a job, unless another one has it."""
    locked = await BoardImport.select_for_update().get_or_none(id=staged.id)
    if locked is None:
        raise NotFound(NO_IMPORT)
    if locked.job_id is not None and await Job.filter(id=locked.job_id, state__in=("running", "done")).exists():
        raise Conflict(RUNS)
    await BoardImport.filter(id=staged.id).update(job_id=job_id)


async def _in_job(actor: Actor, staged: BoardImport) -> JobResult:
    await jobs.step("Reading the file")
    text = await asyncio.to_thread(zlib.decompress, staged.content)
    file = await asyncio.to_thread(BoardFile.model_validate_json, text)
    brought = await import_here(actor, staged.organization_id, file)
    await BoardImport.filter(id=staged.id).delete()
    board = brought.board.model_dump()
    dropped = [f"Left out: {one.what} {one.name} ({one.where})" for one in brought.dropped]
    more = [f"Left out besides: {len(dropped) - MOST_LISTED} more"] if len(dropped) > MOST_LISTED else []
    return JobResult(
        summary=f"{board['name']} is here with {brought.counts.sentence}.",
        url=f"/boards/{board['id']}",
        details=[*dropped[:MOST_LISTED], *more],
    )


@command("board.import")
async def discard(actor: Actor, organization_id: UUID, staged: BoardImport) -> None:
    """Forget a file that was not imported."""
    await BoardImport.filter(id=staged.id).delete()
