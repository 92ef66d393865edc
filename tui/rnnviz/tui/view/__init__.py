"""What is looked at: a view, the moves between views, how it is written down and kept."""
