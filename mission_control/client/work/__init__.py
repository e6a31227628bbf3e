"""Taking tasks, and doing them with a program."""
