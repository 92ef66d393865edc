"""The models: their equations, and the fast ways to compute them. Nothing here knows of runs on disk."""
