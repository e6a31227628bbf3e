"""The account log, and the verification of all logs."""
