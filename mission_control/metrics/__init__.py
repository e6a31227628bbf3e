"""Figures of boards.

They are counted beside serving (`counting.py`) and read as series (`series.py`), by pages and the API.
"""
