"""The kinds of recurrent layers, one a module: its equations, and every faster way to compute them.

`registry` lists them all.
"""
