"""Play a state machine of hypothesis against the application until it has taken a number of steps."""

import asyncio
import os
import random
from typing import Any, Protocol

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

LONG = bool(os.environ.get("LONG"))
SHORT_SEED = 2026
PHASES = (Phase.generate, Phase.shrink) if os.environ.get("SHRINK") != "0" else (Phase.generate,)
STEPS_EACH, EXAMPLES_AT_ONCE = 50, 200


class Ground(Protocol):
    """Where a machine runs, and how many steps it took."""

    steps: int


def steps(wanted: int) -> int:
    """Return how many steps to take: those of the environment, else what the test wants."""
    return int(os.environ.get("STEPS") or wanted)


async def play(machine: type[RuleBasedStateMachine], ground: Ground, number: int) -> None:
    """Take a number of steps, with the seed of the environment, a fixed one, or another each time in a long run."""
    chosen = int(os.environ.get("SEED") or (random.SystemRandom().randrange(10**6) if LONG else SHORT_SEED))
    on_ground: Any = type("Machine", (machine,), {"ground": ground})
    while ground.steps < number:
        print(f"SEED={chosen} after {ground.steps} steps")
        wanted = settings(
            max_examples=min(EXAMPLES_AT_ONCE, -(-(number - ground.steps) // STEPS_EACH)),
            stateful_step_count=STEPS_EACH,
            deadline=None,
            database=None,
            print_blob=True,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        )
        await asyncio.to_thread(run_state_machine_as_test, seed(chosen)(on_ground), settings=wanted)
        chosen += 1
