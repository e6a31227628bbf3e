"""Questions of agents to people, with options, answers and deadlines.

Read `commands.py` first.
"""
