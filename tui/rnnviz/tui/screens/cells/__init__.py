"""The list of all cells of a capture."""
