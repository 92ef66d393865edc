"""The blocks of a capture that are in memory, read by a thread so that no key waits for the disk."""
