"""Runs: directories that hold one trained model each, and what is known of its training."""
