"""Training of recurrent models and of the n-NN, and measuring their loss."""
