"""What a user's folder is understood by."""
