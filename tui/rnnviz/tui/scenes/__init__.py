"""What stands where on a whole screen: pure functions to painted lines, for the explorer, snapshots and pictures."""
