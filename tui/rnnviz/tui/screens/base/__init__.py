"""What every screen is made of: keys and their hints, questions, background work, dialogs. No screen of its own."""
