"""Training a whole grid of models, as the paper's Figure 1 (left) is made."""
