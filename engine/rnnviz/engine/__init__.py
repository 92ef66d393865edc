"""Models: build, train, load and run them over text. Prints nothing and knows no screen."""
