"""Tags and custom fields of a board's file: found in the organization, or created."""

from uuid import UUID

from mission_control.boards.models import Board
from mission_control.core.ids import new_id
from mission_control.core.json import to_json
from mission_control.custom_fields.models import CustomField, CustomFieldBoard, CustomFieldValue
from mission_control.custom_fields.values import mismatch
from mission_control.exports.file import Dropped
from mission_control.exports.parts import FieldPart, TagPart, TaskPart
from mission_control.tags.models import Tag
from mission_control.tags.slugs import is_nameless, save_nameless, slug_from

BATCH = 500


async def find_tags(organization_id: UUID, parts: list[TagPart]) -> tuple[dict[str, UUID], list[str]]:
    """Return the ids of tags by their slugs in the file, and the slugs of those that were created."""
    nameless = [part for part in parts if is_nameless(part.slug)]
    new = [_tag(organization_id, part) for part in parts if not is_nameless(part.slug)]
    await Tag.bulk_create(new, ignore_conflicts=True)
    slugs = [tag.slug for tag in new]
    found = dict(await Tag.filter(organization_id=organization_id, slug__in=slugs).values_list("slug", "id"))
    made = {tag.id for tag in new}
    new_slugs = [slug for slug, tag_id in found.items() if tag_id in made]
    for part in nameless:
        tag, is_new = await _find_nameless(organization_id, part, set(found.values()))
        found[part.slug] = tag.id
        new_slugs += [tag.slug] if is_new else []
    return found, sorted(new_slugs)


async def _find_nameless(organization_id: UUID, part: TagPart, used: set[UUID]) -> tuple[Tag, bool]:
    """Return the tag for a slug that no name gives, and whether it was created. The slug may be taken here."""
    if slug_from(part.name):
        here = await Tag.get_or_none(organization_id=organization_id, slug=part.slug)
        if here is not None and here.id not in used and slug_from(here.name):
            return here, False
    tag = _tag(organization_id, part)
    stored = await save_nameless(tag, excluding=used)
    return stored, stored is tag


def _tag(organization_id: UUID, part: TagPart) -> Tag:
    return Tag(id=new_id(), organization_id=organization_id, **part.model_dump())


async def bind_fields(
    board: Board, parts: list[FieldPart], dropped: list[Dropped]
) -> tuple[dict[str, CustomField], list[str]]:
    """Give the board its fields by key. Return them and those created; one with another type here is dropped."""
    made = [_field(board, part) for part in parts]
    await CustomField.bulk_create(made, ignore_conflicts=True)
    keys = [part.field_key for part in parts]
    stored = await CustomField.filter(organization_id=board.organization_id, field_key__in=keys)
    types = {part.field_key: part.field_type for part in parts}
    bound: dict[str, CustomField] = {}
    for field in stored:
        if field.field_type == types[field.field_key]:
            bound[field.field_key] = field
        else:
            where = f"it is {field.field_type} here"
            dropped.append(Dropped(what="custom field", name=field.field_key, where=where))
    await CustomFieldBoard.bulk_create(CustomFieldBoard(board_id=board.id, field_id=one.id) for one in bound.values())
    ids = {field.id for field in made}
    return bound, sorted(key for key, field in bound.items() if field.id in ids)


def _field(board: Board, part: FieldPart) -> CustomField:
    fields = part.model_dump(exclude={"default_value"})
    field = CustomField(id=new_id(), organization_id=board.organization_id, **fields)
    # Encoded here: the field would store a plain text as JSON.
    field.default_value = None if part.default_value is None else to_json(part.default_value).decode()
    return field


async def store_values(
    fields: dict[str, CustomField], parts: list[TaskPart], ids: dict[int, UUID], dropped: list[Dropped]
) -> None:
    """Store the tasks' values of the board's fields. Values that a field here refuses are dropped."""
    values = []
    for part in parts:
        for key, value in part.custom_fields.items():
            if value is None or key not in fields:
                continue
            if mismatch(fields[key], value):
                dropped.append(Dropped(what="value", name=key, where=f"task {part.number}"))
                continue
            stored = CustomFieldValue(task_id=ids[part.number], field_id=fields[key].id)
            stored.value = to_json(value).decode()
            values.append(stored)
    await CustomFieldValue.bulk_create(values, batch_size=BATCH)
