"""How painted lines are written into files: SVG, HTML and ANSI text."""
