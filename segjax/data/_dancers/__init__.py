"""What dancers are drawn by."""
