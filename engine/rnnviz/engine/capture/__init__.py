"""Running models over a text and writing what their units do into a capture."""
