"""The models behind "type and see": they read a text that changes at every key."""
