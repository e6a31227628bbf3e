"""What people are asked about tasks."""
