"""Symbols: how a text is cut into them, numbered and named. The only place where the kinds of symbol differ."""
