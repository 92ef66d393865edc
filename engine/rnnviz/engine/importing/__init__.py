"""Opening models that other programs trained: PyTorch state dicts, char-rnn's and torch-rnn's Torch7 files."""
