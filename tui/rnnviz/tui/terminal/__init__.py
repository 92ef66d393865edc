"""What is sent to the terminal: differences between two screens, in few bytes, no faster than it takes them."""
