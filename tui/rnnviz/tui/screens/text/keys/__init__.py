"""The groups of keys of the text view, one a module."""
