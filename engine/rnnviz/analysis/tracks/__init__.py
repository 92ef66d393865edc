"""Tracks: what a text is doing, a number for each of its symbols. One kind of text a module."""
