"""What every room stands on: values, errors, ids, clocks, actors, rules and settings. It knows no database, no request.

Read `actor.py` (who acts, and what a rule is) and `values.py` (ids, JSON, pages of lists) first.
"""
