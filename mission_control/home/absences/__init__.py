"""What happened while a person was away: read `report.py` first."""
