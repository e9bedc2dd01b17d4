"""What nevi are drawn by."""
