"""Answers to questions about a capture on disk. Nothing here loads PyTorch, Textual or KenLM, or knows of a screen."""
