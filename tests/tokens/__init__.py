"""What our texts cost the models that read them."""

import json
import subprocess
from pathlib import Path

from tests.node_packages import installed, node_program

SOURCE = Path(__file__).parent


def counted(*texts: str) -> list[int]:
    """Return how many tokens of o200k each text has."""
    folder = installed(SOURCE, "count.mjs")
    command = [node_program(folder), folder / "count.mjs"]
    ran = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    numbers: list[int] = json.loads(ran.stdout)
    return numbers
