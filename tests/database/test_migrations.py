"""The migration files: readable, for both databases, and together they make what the models say."""

import re
from pathlib import Path
from typing import Any

import pytest
from aerich.utils import compress_dict, decompress_dict
from tortoise.indexes import Index
from tortoise.models import Model

from mission_control.database.migrate import migration_folder
from tests.catalog import columns, foreign_keys, indexes, linked, models, types, unique_sets
from tools.make_migration import ROOT, load, run_child, write_for

pytestmark = pytest.mark.dialect

FILES = sorted(migration_folder().glob("[0-9]*_*.py"))
GENERATED = re.compile(r"idx_\w+_[0-9a-f]{6}")


def test_each_migration_has_its_own_number() -> None:
    numbers = [file.name.split("_")[0] for file in FILES]
    assert numbers
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_migration_is_sql_for_both_databases_and_nothing_else(file: Path) -> None:
    module = load(file)
    assert set(module.UP) == set(module.DOWN) == {"sqlite", "postgres"}
    assert "to be written by hand" not in str(module.UP) + str(module.DOWN)
    assert not hasattr(module, "MODELS_STATE")
    assert all(len(line) < 300 for line in file.read_text(encoding="utf-8").splitlines())


@pytest.mark.thorough
def test_aerich_drafts_a_new_column_for_both_databases() -> None:
    packed = run_child(ROOT, "--describe").stdout.strip()
    assert write_for("postgres", "nothing", packed) is None
    before = decompress_dict(packed)
    columns = before["models.Tag"]["data_fields"]
    columns[:] = [column for column in columns if column["name"] != "description"]
    for dialect in ("sqlite", "postgres"):
        drafted = write_for(dialect, "descriptions", compress_dict(before))
        assert drafted is not None and drafted.file_name.endswith("_descriptions.py")
        assert (drafted.up, drafted.down) == (
            'ALTER TABLE "tags" ADD "description" TEXT;',
            'ALTER TABLE "tags" DROP COLUMN "description";',
        )


@pytest.mark.usefixtures("app")
async def test_tables_have_exactly_the_models_columns() -> None:
    for model in models():
        assert await columns(model._meta.db_table) == types(model), model.__name__


@pytest.mark.usefixtures("app")
async def test_foreign_keys_match_the_models() -> None:
    for model in models():
        fields: dict[str, Any] = {name: model._meta.fields_map[name] for name in linked(model)}
        expected = {
            (field.source_field or f"{name}_id", field.related_model._meta.db_table, str(field.on_delete.value))
            for name, field in fields.items()
        }
        assert await foreign_keys(model._meta.db_table) == expected, model.__name__


@pytest.mark.usefixtures("app")
async def test_unique_constraints_match_the_models() -> None:
    for model in models():
        meta = model._meta
        expected = {tuple(_column(model, name) for name in names) for names in meta.unique_together}
        expected |= {(column,) for name, column in meta.fields_db_projection.items() if meta.fields_map[name].unique}
        expected.add((meta.fields_db_projection[meta.pk_attr],))
        assert await unique_sets(meta.db_table) == expected, model.__name__


def _column(model: type[Model], name: str) -> str:
    return f"{name}_id" if name in linked(model) else name


@pytest.mark.usefixtures("app")
async def test_indexes_are_the_models() -> None:
    for model in models():
        expected = {tuple(_column(model, name) for name in _indexed(one)) for one in model._meta.indexes}
        expected |= {
            (column,)
            for name, column in model._meta.fields_db_projection.items()
            if model._meta.fields_map[name].index and not model._meta.fields_map[name].unique
        }
        made = await indexes(model._meta.db_table)
        assert expected == {made[name] for name in made if GENERATED.fullmatch(name)}, model.__name__


def _indexed(index: Index | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(index.fields) if isinstance(index, Index) else index
