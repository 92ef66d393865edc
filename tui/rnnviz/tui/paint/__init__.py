"""From values to colours and characters: palettes, painted lines, grids of cells."""
