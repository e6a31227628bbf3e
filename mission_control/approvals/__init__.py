"""Approvals: what an agent asks a person to decide, votes, decisions and how they end.

Read `decisions.py` (deciding) and `queries.py` (who may) first.
"""
