"""What our texts cost the models that read them."""

import json
import subprocess
from pathlib import Path

from tests.node_packages import Installer, node_program

SOURCE = Path(__file__).parent


def counted(npm: Installer, *texts: str) -> list[int]:
    """Return how many tokens of o200k each text has."""
    folder = npm(SOURCE, "count.mjs")
    command = [node_program(folder), folder / "count.mjs"]
    ran = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    numbers: list[int] = json.loads(ran.stdout)
    return numbers
