"""Agents at work: claims and leases, runs, sessions of their programs, permissions and notes.

Read `claims/claiming.py` (how a task finds its agent) and `sessions/reports.py` (what programs tell) first.
"""
