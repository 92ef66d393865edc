"""The processes that run models for type and see, and what is said between them and the explorer."""
