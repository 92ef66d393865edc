"""Texts: where they are found, how they are split for training, and which spans of them are read from zero state."""
