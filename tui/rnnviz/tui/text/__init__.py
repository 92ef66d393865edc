"""How a text stands in rows: glyphs, their widths, where symbols begin."""
