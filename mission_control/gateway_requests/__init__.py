"""Approvals and questions that gateways ask for, in the queues of people."""
