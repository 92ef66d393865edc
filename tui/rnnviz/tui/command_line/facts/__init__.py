"""What `rnnviz info` says beside runs and captures: facts for JSON, rows for a table, commands to paste."""
