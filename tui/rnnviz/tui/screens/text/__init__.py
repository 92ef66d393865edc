"""The text view: a capture's text, shaded by one cell."""
