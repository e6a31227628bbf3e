"""The application and its processes: what is installed, served, supervised and stopped.

Read `app.py` and `worker.py` first.
"""
