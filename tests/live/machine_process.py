"""The machine of runs with the application in a process of its own: killed, another one goes on with its database."""

import asyncio
import pickle
from dataclasses import fields, replace
from typing import Any

from mission_control.core.settings import Settings
from mission_control.server.app import create_app
from tests.cast import Caller, Cast, assemble
from tests.machines import play, steps
from tests.runs_machine import Ground, Past, RunsMachine, alone, prepare


def spoken_by(cast: Cast, app: Any) -> Cast:
    """The cast with another application, or with none, to be kept."""
    changed: dict[str, Any] = {
        one.name: replace(found, app=app)
        for one in fields(cast)
        if isinstance(found := getattr(cast, one.name), Caller)
    }
    return replace(cast, app=app, **changed)


async def main() -> None:
    """Begin, or go on, until killed or through with STEPS."""
    settings = Settings.from_environment()
    app, kept = create_app(settings), settings.data_dir / "ground"
    async with app.test_app():
        if kept.exists():
            cast, gateway = pickle.loads(kept.read_bytes())
            ground = Ground(asyncio.get_running_loop(), spoken_by(cast, app), gateway, grows_old=True)
            ground.past = await Past.of(ground)
        else:
            ground = await prepare(await assemble(app), grows_old=True)
            kept.write_bytes(pickle.dumps((spoken_by(ground.cast, None), ground.gateway)))
        print("ready", flush=True)
        await play(RunsMachine, ground, steps(10**6))
        await ground.verify_all()
        print(f"{ground.steps} steps after the last death: {dict(ground.reached)}")


if __name__ == "__main__":
    with alone():
        asyncio.run(main())
