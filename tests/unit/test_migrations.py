"""The migration files: for both databases, complete, and in step with the models."""

import asyncio

import pytest

from mission_control.database.migrate import migration_folder
from tools.make_migration import load, write_for

FILES = sorted(migration_folder().glob("[0-9]*_*.py"))


def test_there_are_migrations_with_numbers_of_their_own() -> None:
    numbers = [file.name.split("_")[0] for file in FILES]
    assert numbers
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_migration_speaks_to_both_databases(file: object) -> None:
    module = load(file)  # type: ignore[arg-type]
    assert set(module.UP) == set(module.DOWN) == {"sqlite", "postgres"}
    assert "to be written by hand" not in str(module.UP) + str(module.DOWN)


async def test_the_models_have_no_change_without_a_migration() -> None:
    assert await asyncio.to_thread(write_for, "postgres", "forgotten") is None
