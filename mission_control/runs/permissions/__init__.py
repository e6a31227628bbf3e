"""What programs ask a permission for."""
