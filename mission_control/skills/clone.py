"""Clone a repository with git, in a limited process that never prompts and reads no configuration."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mission_control.core.errors import Unreachable

LOOK_EVERY_SECONDS = 0.25
LONGEST_REASON = 200
# Only what the network needs is kept of the environment, so that nothing configures git.
KEPT = ("PATH", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT")


class NotCopied(Exception):
    """Git failed; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Git:
    """How repositories are cloned. `base_url` replaces https://github.com."""

    base_url: str
    seconds: float = 120.0
    most_bytes: int = 209_715_200

    @asynccontextmanager
    async def cloned(self, url: str, branch: str) -> AsyncIterator[tuple[Path, str, list[str]]]:
        """Yield a clone of a repository, its branch and warnings. It is removed when the block ends.

        The default branch replaces a missing branch other than main. Raises Unreachable when there is no clone.
        """
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="mission-control-pack-"))
        try:
            async with asyncio.timeout(self.seconds):
                warnings = await self._clone_or_default(url, folder, branch)
                on = (
                    await self._git(folder, url, "-C", str(folder / "copy"), "rev-parse", "--abbrev-ref", "HEAD")
                ).strip()
            yield folder / "copy", on, [text.format(branch=on) for text in warnings]
        except TimeoutError:
            raise Unreachable("Cloning the repository took too long. Try again later.") from None
        except NotCopied as error:
            raise Unreachable(f"The repository could not be cloned: {error}") from None
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _clone_or_default(self, url: str, folder: Path, branch: str) -> list[str]:
        try:
            await self._clone(url, folder, f"--branch={branch}")
        except NotCopied:
            if branch == "main":
                raise
            await asyncio.to_thread(shutil.rmtree, folder / "copy", ignore_errors=True)
            await self._clone(url, folder)
            return [f"There is no branch {branch}; the default branch {{branch}} was read instead."]
        return []

    async def _clone(self, url: str, folder: Path, *options: str) -> None:
        shape = ("--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules", "--quiet")
        await self._git(folder, url, "clone", *shape, *options, "--", self._address(url), str(folder / "copy"))

    def _address(self, url: str) -> str:
        return self.base_url + urlsplit(url).path

    async def _git(self, folder: Path, url: str, *arguments: str) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                "git", "-c", "core.symlinks=false", "-c", "core.hooksPath=/dev/null", *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=folder,
                env=self._environment(folder),
                start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise Unreachable("Git is not installed on this server. Install it to sync skill packs.") from None
        try:
            said, complained = await self._within_size(process, folder)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if process.returncode:
            raise NotCopied(reason_in(self._without_our_paths(complained.decode("utf-8", "replace"), url, folder)))
        return said.decode("utf-8", "replace")

    def _without_our_paths(self, text: str, url: str, folder: Path) -> str:
        ours = [self._address(url)]
        if self.base_url.startswith("file:"):
            ours.append(urlsplit(self._address(url)).path)
        for one in ours:
            text = text.replace(one, url)
        return text.replace(str(folder), "")

    async def _within_size(self, process: asyncio.subprocess.Process, folder: Path) -> tuple[bytes, bytes]:
        talk = asyncio.ensure_future(process.communicate())
        try:
            while not (await asyncio.wait({talk}, timeout=LOOK_EVERY_SECONDS))[0]:
                await self._check_size(folder)
            await self._check_size(folder)
            return talk.result()
        finally:
            talk.cancel()

    async def _check_size(self, folder: Path) -> None:
        if await asyncio.to_thread(size_of, folder) > self.most_bytes:
            raise Unreachable(f"The repository is larger than {self.most_bytes // 1_048_576} MiB.")

    def _environment(self, folder: Path) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | {
            "HOME": str(folder),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "GIT_ALLOW_PROTOCOL": urlsplit(self.base_url).scheme,
            "GIT_LFS_SKIP_SMUDGE": "1",
        }


def size_of(folder: Path) -> int:
    """Return the size in bytes of the files below a folder. Files that vanish count nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def reason_in(text: str) -> str:
    """Return the line of git's output that says what is wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for sign in ("fatal: ", "error: "):
        if reason := next((line for line in lines if line.startswith(sign)), None):
            return reason.removeprefix(sign)[:LONGEST_REASON]
    return lines[0][:LONGEST_REASON] if lines else "git gives no reason."
