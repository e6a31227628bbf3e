"""Search over tasks, comments, memory and approvals."""
