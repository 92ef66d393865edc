"""What stands beside the text: one panel a module, each a pure function from values to painted lines."""
