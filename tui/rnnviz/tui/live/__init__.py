"""Models that read what a person types, each in a process of its own: the explorer itself never loads torch."""
