"""Only a database that says it is for tests may be emptied."""

from pathlib import Path

import pytest

from tests.own_database import database_url_for_tests

pytestmark = [pytest.mark.dialect, pytest.mark.database]


def test_non_test_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://localhost/mission_control")
    with pytest.raises(pytest.UsageError, match="ends in _test"):
        database_url_for_tests(tmp_path)
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://localhost/mission_control_test?host=/tmp/x")
    assert database_url_for_tests(tmp_path).startswith("postgres")
    monkeypatch.delenv("TEST_DATABASE_URL")
    assert database_url_for_tests(tmp_path).startswith("sqlite:")
