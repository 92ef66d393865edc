"""One module a command. Each imports what is heavy (torch, zarr, textual) inside its function."""
