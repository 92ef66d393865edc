"""A capture on disk: schema, writer, reader, statistics. Imports nothing else of rnnviz."""
