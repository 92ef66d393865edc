"""What several commands share: options, progress, stopping, notes. No command of its own."""
