"""The commands of `python -m segjax`, a file each: main(arguments) -> exit code."""
