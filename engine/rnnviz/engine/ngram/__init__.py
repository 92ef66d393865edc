"""N-gram models over bytes: counting, modified Kneser-Ney estimation, ARPA files, and scoring by KenLM or a trie."""
