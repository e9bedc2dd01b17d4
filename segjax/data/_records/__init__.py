"""Data sets of others, prepared once as TFDS records."""
