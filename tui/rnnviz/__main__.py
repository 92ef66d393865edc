"""`python -m rnnviz` is the console script."""

from rnnviz.tui.cli import main

main()
