"""From the command line to an explorer on the screen, first paint included."""
