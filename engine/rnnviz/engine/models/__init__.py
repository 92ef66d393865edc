"""The models: what the kinds of layers have in common, and what reads with them. Nothing here knows of runs on disk.

Each kind of layer is a module of `kinds`.
"""
