"""The program of agents and people at a terminal, by the standard library of Python 3.9 or newer alone.

The server sends it as `/client.pyz` (`api_docs/client_pages.py`); the installed package runs the same commands. It
imports nothing else of this package.
"""
