"""What a user's folder of pictures and joints is understood by."""
