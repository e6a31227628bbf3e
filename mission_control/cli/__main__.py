"""Run the command line by `python -m mission_control.cli`."""

from mission_control.cli import main

main()
