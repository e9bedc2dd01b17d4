"""What pastures are drawn by."""
