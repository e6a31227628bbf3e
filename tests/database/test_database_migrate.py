"""The migration runner: each file once and as a whole, with a copy before, never backwards."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from tortoise.context import TortoiseContext

from mission_control.core.settings import ConfigError, Settings
from mission_control.database.migrate import migrate, migration_folder, pending, pending_for, statements
from mission_control.database.setup import orm_config
from tests.own_database import empty_database
from tools.make_migration import load

pytestmark = [pytest.mark.dialect, pytest.mark.database]

FILE = '''
RUN_IN_TRANSACTION = True
UP = {{"sqlite": """{up}""", "postgres": """{up}"""}}

async def upgrade(db):
    return UP[db.capabilities.dialect]

async def downgrade(db):
    return ""
'''
FIRST = "CREATE TABLE boats (id INT PRIMARY KEY, name TEXT); INSERT INTO boats VALUES (1, 'a;b');"
SECOND = "ALTER TABLE boats ADD COLUMN sails INT NOT NULL DEFAULT 3;"
BROKEN = "CREATE TABLE oars (id INT PRIMARY KEY); INSERT INTO nowhere VALUES (1);"
WHEN = "'2026-11-20 08:00:00'"
IN_PROGRESS = f"""
INSERT INTO organizations (id, name, is_demo, log_seq, log_hash, created_at, updated_at)
    VALUES ('{{organization}}', 'Observatory', '0', 0, '', {WHEN}, {WHEN});
INSERT INTO boards (id, organization_id, name, slug, description, board_type, goal_confirmed, require_approval_for_done,
    require_review_before_done, comment_required_for_review, block_status_changes_with_pending_approval,
    only_lead_can_change_status, max_agents, task_count, created_at, updated_at)
    VALUES ('{{board}}', '{{organization}}', 'Telescope', 't', '', 'goal', '0', '0', '0', '0', '0', '0', 1, 3,
    {WHEN}, {WHEN});
INSERT INTO agents (id, organization_id, board_id, name, status, is_board_lead, created_at, updated_at)
    VALUES ('{{agent}}', '{{organization}}', '{{board}}', 'Vega', 'online', '0', {WHEN}, {WHEN});
INSERT INTO tasks (id, board_id, number, title, status, priority, position, auto_created, assigned_agent_id, deleted_at,
    created_at, updated_at) VALUES
    ('{{held}}', '{{board}}', 1, 'a', 'in_progress', 'high', 1, '0', '{{agent}}', NULL, {WHEN}, {WHEN}),
    ('{{waiting}}', '{{board}}', 2, 'b', 'inbox', 'high', 2, '0', '{{agent}}', NULL, {WHEN}, {WHEN}),
    ('{{deleted}}', '{{board}}', 3, 'c', 'in_progress', 'high', 3, '0', '{{agent}}', {WHEN}, {WHEN}, {WHEN});
"""
DECIDED = f"""
INSERT INTO task_runs (id, board_id, task_id, agent_id, agent_name, fence, state, started_at, ended_at,
    input_tokens, output_tokens, cost_micros) VALUES
    ('{{run}}', '{{board}}', '{{held}}', '{{agent}}', 'Vega', 7, 'completed', '2026-11-21 08:00:00',
    '2026-11-21 09:00:00', 0, 0, 0);
INSERT INTO approvals (id, board_id, action_type, confidence, status, decision, resolved_by_kind, resolved_at,
    created_at, updated_at) VALUES
    ('{{early}}', '{{board}}', 'go', 1, 'approved', 'approved', 'user', '2026-11-20 09:00:00', {WHEN}, {WHEN}),
    ('{{late}}', '{{board}}', 'go', 1, 'approved', 'approved', 'user', '2026-11-22 09:00:00', {WHEN}, {WHEN}),
    ('{{used}}', '{{board}}', 'go', 1, 'approved', 'approved', 'user', '2026-11-22 09:00:00', {WHEN}, {WHEN});
INSERT INTO approval_task_links (id, approval_id, task_id, is_pending, created_at) VALUES
    ('{{early}}', '{{early}}', '{{held}}', '0', {WHEN}), ('{{late}}', '{{late}}', '{{held}}', '0', {WHEN}),
    ('{{used}}', '{{used}}', '{{waiting}}', '0', {WHEN});
INSERT INTO events (id, organization_id, seq, kind, actor_kind, surface, board_id, task_id, data, prev_hash, hash,
    created_at) VALUES ('{{run}}', '{{organization}}', 1, 'task.status_changed', 'user', 'api', '{{board}}',
    '{{waiting}}', '{{{{"after":{{{{"status":"inbox"}}}},"before":{{{{"status":"done"}}}}}}}}', '', '',
    '2026-11-23 09:00:00');
"""
# Vega's lease ran out while people had not answered: the release before version 36 put the task into the inbox.
EXPIRED = f"""
UPDATE tasks SET status = 'inbox' WHERE id = '{{held}}';
UPDATE task_runs SET id = '{{run}}', state = 'expired', ended_at = {WHEN} WHERE task_id = '{{held}}';
INSERT INTO approvals (id, board_id, action_type, confidence, status, resolved_at, run_id, created_at, updated_at)
    VALUES ('{{early}}', '{{board}}', 'go', 1, 'pending', NULL, '{{run}}', {WHEN}, {WHEN}),
    ('{{late}}', '{{board}}', 'go', 1, 'rejected', {WHEN}, '{{run}}', {WHEN}, {WHEN});
INSERT INTO approval_task_links (id, approval_id, task_id, is_pending, run_id, created_at) VALUES
    ('{{early}}', '{{early}}', '{{held}}', '1', '{{run}}', {WHEN});
INSERT INTO agent_questions (id, board_id, agent_name, content, reply_tags, allows_text, state, run_id, created_at)
    VALUES ('{{used}}', '{{board}}', 'Vega', 'Which?', '[]', '1', 'open', '{{run}}', {WHEN});
"""
TOKEN = f"""
INSERT INTO tokens (id, agent_id, name, prefix, fingerprint, created_at)
    VALUES ('{{early}}', '{{agent}}', '', 'mca_', 'old', {WHEN});
"""
CONNECTED = f"""
INSERT INTO users (id, clerk_user_id, email_verified, is_super_admin, created_at, updated_at)
    VALUES ('{{run}}', 'local-1', '0', '0', {WHEN}, {WHEN});
INSERT INTO connections (id, organization_id, board_id, agent_id, user_id, client, created_at)
    VALUES ('{{used}}', '{{organization}}', '{{board}}', '{{agent}}', '{{run}}', 'codex', {WHEN});
INSERT INTO tokens (id, agent_id, connection_id, name, prefix, fingerprint, created_at)
    VALUES ('{{late}}', '{{agent}}', '{{used}}', '', 'mca_', 'new', {WHEN});
"""
APPLY = """
import asyncio, sys, pathlib
from mission_control.core.settings import Settings
from mission_control.database.migrate import migrate
settings = Settings.from_environment({"DATABASE_URL": sys.argv[1], "DATA_DIR": sys.argv[2]})
print(len(asyncio.run(migrate(settings, pathlib.Path(sys.argv[2], "files")))))
"""


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    """Yield settings of an empty database beside the application's."""
    (tmp_path / "files").mkdir()
    async with empty_database(tmp_path) as url:
        yield Settings.from_environment({"DATABASE_URL": url, "DATA_DIR": str(tmp_path)})


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


def write(files: Path, number: int, up: str) -> str:
    file = files / f"{number}_20261124_step.py"
    file.write_text(FILE.format(up=up))
    return file.name


async def run(settings: Settings, sql: str) -> None:
    async with TortoiseContext() as context:
        await context.init(config=orm_config(settings.database_url, 2, ["aerich.models"]))
        await context.db("default").execute_script(sql)


async def query(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    async with TortoiseContext() as context:
        await context.init(config=orm_config(settings.database_url, 2, ["aerich.models"]))
        return [tuple(row.values()) for row in await context.db("default").execute_query_dict(sql)]


async def test_files_are_applied_in_order_and_once(settings: Settings, files: Path) -> None:
    names = [write(files, 2, FIRST), write(files, 10, SECOND)]
    assert await migrate(settings, files) == names
    assert await migrate(settings, files) == []
    assert await query(settings, "SELECT name, sails FROM boats") == [("a;b", 3)]


async def test_work_in_progress_before_runs_existed_becomes_a_run(settings: Settings, files: Path) -> None:
    ours = sorted(migration_folder().glob("[0-9]*_*.py"))
    for file in ours[:2]:
        (files / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    await migrate(settings, files)
    thing = {name: str(uuid4()) for name in ("organization", "board", "agent", "held", "waiting", "deleted")}
    async with TortoiseContext() as context:
        await context.init(config=orm_config(settings.database_url, 2, ["aerich.models"]))
        await context.db("default").execute_script(IN_PROGRESS.format(**thing))
    for file in ours[2:]:
        (files / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    await migrate(settings, files)
    [run] = await query(settings, "SELECT id, task_id, agent_id, board_id, agent_name, fence, state FROM task_runs")
    assert str(UUID(str(run[0]))) == str(run[0])
    assert [str(one) for one in run[1:4]] == [thing["held"], thing["agent"], thing["board"]]
    assert run[4:] == ("Vega", 1, "running")
    assert await query(settings, "SELECT title, fence FROM tasks ORDER BY number") == [("a", 1), ("b", 0), ("c", 0)]


async def test_only_approvals_of_the_present_attempt_count_after_an_upgrade(settings: Settings, files: Path) -> None:
    ours = sorted(migration_folder().glob("[0-9]*_*.py"), key=lambda file: int(file.name.partition("_")[0]))
    [at] = [place for place, file in enumerate(ours) if file.stem.endswith("_attempts")]
    names = ("organization", "board", "agent", "held", "waiting", "deleted", "run", "early", "late", "used")
    thing = {name: str(uuid4()) for name in names}
    for some, sql in ((ours[:2], IN_PROGRESS), (ours[2:at], DECIDED), (ours[at:], "")):
        for file in some:
            (files / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        await migrate(settings, files)
        async with TortoiseContext() as context:
            await context.init(config=orm_config(settings.database_url, 2, ["aerich.models"]))
            await context.db("default").execute_script(sql.format(**thing) or "SELECT 1")
    found = await query(settings, "SELECT approval_id, decided_attempt FROM approval_task_links")
    assert {str(one[0]): one[1] for one in found} == {thing["early"]: None, thing["late"]: 0, thing["used"]: None}


async def test_ask_whose_run_expired_before_the_upgrade_stays_open(settings: Settings, files: Path) -> None:
    ours = sorted(migration_folder().glob("[0-9]*_*.py"), key=lambda file: int(file.name.partition("_")[0]))
    [at] = [place for place, file in enumerate(ours) if file.stem.endswith("_runs") and file.name.startswith("36_")]
    names = ("organization", "board", "agent", "held", "waiting", "deleted", "run", "early", "late", "used")
    thing = {name: str(uuid4()) for name in names}
    for some, sql in ((ours[:2], IN_PROGRESS), (ours[2:at], EXPIRED), (ours[at:], "")):
        for file in some:
            (files / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        await migrate(settings, files)
        async with TortoiseContext() as context:
            await context.init(config=orm_config(settings.database_url, 2, ["aerich.models"]))
            await context.db("default").execute_script(sql.format(**thing) or "SELECT 1")
    found = await query(settings, "SELECT status, run_id FROM approvals ORDER BY status")
    assert [(one[0], str(one[1])) for one in found] == [("pending", "None"), ("rejected", thing["run"])]
    assert [one[0] for one in await query(settings, "SELECT run_id FROM approval_task_links")] == [None]
    assert await query(settings, "SELECT state, run_id FROM agent_questions") == [("open", None)]


async def test_tokens_from_before_connections_go_on_and_those_of_connections_go_back_with_them(
    settings: Settings, files: Path
) -> None:
    ours = sorted(migration_folder().glob("[0-9]*_*.py"), key=lambda file: int(file.name.partition("_")[0]))
    [at] = [place for place, file in enumerate(ours) if file.stem.endswith("_connections")]
    names = ("organization", "board", "agent", "held", "waiting", "deleted", "run", "early", "late", "used")
    thing = {name: str(uuid4()) for name in names}
    down = load(ours[at]).DOWN["sqlite" if settings.uses_sqlite else "postgres"]
    for some, sql in ((ours[:2], IN_PROGRESS), (ours[2:at], TOKEN), (ours[at : at + 1], CONNECTED)):
        for file in some:
            (files / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        await migrate(settings, files)
        await run(settings, sql.format(**thing))
    found = await query(settings, "SELECT fingerprint, connection_id FROM tokens ORDER BY fingerprint")
    assert [(one[0], str(one[1])) for one in found] == [("new", thing["used"]), ("old", "None")]
    await run(settings, down)
    assert await query(settings, "SELECT fingerprint FROM tokens") == [("old",)]


async def test_database_of_a_version_that_recorded_its_models_is_upgraded(settings: Settings, files: Path) -> None:
    write(files, 0, FIRST)
    await migrate(settings, files)
    await query(settings, """UPDATE aerich SET content = '{"models.Boat": {"table": "boats"}}'""")
    name = write(files, 1, SECOND)
    assert await migrate(settings, files) == [name]
    assert await query(settings, "SELECT name, sails FROM boats") == [("a;b", 3)]
    contents = [str(content) for [content] in await query(settings, "SELECT content FROM aerich ORDER BY id")]
    assert "models.Boat" in contents[0] and "sha256" in contents[1]


async def test_pending_migrations_are_listed_without_changes(settings: Settings, files: Path) -> None:
    name = write(files, 0, FIRST)
    async with TortoiseContext() as context:
        await context.init(config=orm_config(settings.database_url, 2, ["aerich.models"]))
        assert await pending(context.db("default"), files) == [name]
    await migrate(settings, files)
    async with TortoiseContext() as context:
        await context.init(config=orm_config(settings.database_url, 2, ["aerich.models"]))
        assert await pending(context.db("default"), files) == []


async def test_failing_migration_leaves_nothing(settings: Settings, files: Path) -> None:
    write(files, 0, FIRST)
    await migrate(settings, files)
    broken = write(files, 1, BROKEN)
    with pytest.raises(ConfigError, match=f"{broken} could not be applied, and nothing of it was: .*nowhere"):
        await migrate(settings, files)
    with pytest.raises(Exception, match="oars"):
        await query(settings, "SELECT * FROM oars")
    (files / broken).unlink()
    assert await migrate(settings, files) == []


async def test_database_of_other_migrations_is_told_from_a_broken_migration(settings: Settings, files: Path) -> None:
    write(files, 0, FIRST)
    await migrate(settings, files)
    write(files, 1, BROKEN)
    for content in (None, '{"models.Boat": {}}'):  # what this version wrote, and what older ones did
        if content is not None:
            await query(settings, f"UPDATE aerich SET content = '{content}'")
        with pytest.raises(ConfigError) as caught:
            await migrate(settings, files)
        assert "development version" not in str(caught.value)
    await query(settings, """UPDATE aerich SET content = '{"sha256": "of another script"}'""")
    with pytest.raises(ConfigError, match=r"nowhere.*development version.*start with an empty one"):
        await migrate(settings, files)


async def test_database_of_another_newest_migration_is_told(
    settings: Settings, files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = write(files, 0, FIRST)
    await migrate(settings, files)
    assert await migrate(settings, files) == [] and "development version" not in caplog.text
    (files / name).unlink()
    assert write(files, 0, FIRST + SECOND) == name
    assert await migrate(settings, files) == [] and "development version" in caplog.text


async def test_an_old_database_tells_each_migration_before_it_is_applied(
    settings: Settings, files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "mission_control.database.migrate")
    write(files, 0, FIRST)
    await migrate(settings, files)
    assert "Applying" not in caplog.text
    name = write(files, 1, SECOND)
    await migrate(settings, files)
    assert f"Applying migration 1 of 1: {Path(name).stem}" in caplog.text


async def test_tables_of_another_program_are_left_alone(settings: Settings, files: Path) -> None:
    async with TortoiseContext() as context:
        await context.init(config=orm_config(settings.database_url, 2, ["aerich.models"]))
        await context.db("default").execute_script(
            "CREATE TABLE tasks (id INT); CREATE TABLE alembic_version (v TEXT);"
        )
    write(files, 0, FIRST)
    with pytest.raises(ConfigError, match=r"another program: tasks\. .* empty database"):
        await migrate(settings, files)
    with pytest.raises(ConfigError, match=r"another program: tasks\."):
        await pending_for(settings)
    with pytest.raises(Exception, match="boats"):
        await query(settings, "SELECT * FROM boats")


async def test_newer_database_is_refused(settings: Settings, files: Path) -> None:
    write(files, 0, FIRST)
    newer = write(files, 1, SECOND)
    await migrate(settings, files)
    (files / newer).unlink()
    with pytest.raises(ConfigError, match=f"newer than this program.*{newer}"):
        await migrate(settings, files)


async def test_one_of_four_processes_applies_migrations(settings: Settings, files: Path, tmp_path: Path) -> None:
    write(files, 0, FIRST)
    write(files, 1, SECOND)
    command = (sys.executable, "-c", APPLY, settings.database_url, str(tmp_path))
    running = [await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE) for _ in range(4)]
    printed = [(await process.communicate())[0].strip() for process in running]
    assert sorted(printed) == [b"0", b"0", b"0", b"2"]


async def test_sqlite_file_is_copied_before_migration(settings: Settings, files: Path) -> None:
    if settings.sqlite_path is None:
        return  # PostgreSQL is backed up with its own tools
    write(files, 0, FIRST)
    await migrate(settings, files)
    assert copies(settings.sqlite_path) == []
    for number in range(1, 6):
        write(files, number, f"ALTER TABLE boats ADD COLUMN extra{number} INT;")
        await migrate(settings, files)
    made = copies(settings.sqlite_path)
    assert [copy.name.partition(".before-")[2] for copy in made] == [f"{number}_20261124_step" for number in (3, 4, 5)]
    assert all(copy.stat().st_mode & 0o777 == 0o600 for copy in made)
    with closing(sqlite3.connect(made[-1])) as copied:
        columns = [row[1] for row in copied.execute("PRAGMA table_info(boats)")]
    assert "extra4" in columns and "extra5" not in columns


def copies(file: Path) -> list[Path]:
    """Return the copies beside a database file, by name."""
    return sorted(file.parent.glob(f"{file.name}.before-*"))


def test_statements_are_split_where_they_end() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; DELETE FROM c; END;"
    function = "CREATE FUNCTION f() RETURNS int AS $$ BEGIN; RETURN 1; END; $$ LANGUAGE plpgsql;"
    script = f"-- first; comment\nINSERT INTO a VALUES ('x;y'); {trigger}\n{function}\n ; -- end"
    found = list(statements(script))
    assert [part.split("\n")[-1] for part in found] == ["INSERT INTO a VALUES ('x;y');", trigger, function]
