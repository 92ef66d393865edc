"""Scoring of texts by n-gram models: one protocol, KenLM and a trie of our own behind it."""
