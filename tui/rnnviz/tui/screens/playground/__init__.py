"""Type and see: a page of one's own that models read at every key."""
