"""What a person touches: the command line, the explorer, the snapshots."""
