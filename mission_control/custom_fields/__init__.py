"""Fields that an organization adds to its tasks."""
