"""Things that draw themselves line by line."""
