"""Accounts, sign-in, organizations with their members and invitations, audit, and long work of people (jobs).

Read `organizations/access.py` for what a person may do, `sign_in/browser_sessions.py` for how a session begins.
"""
