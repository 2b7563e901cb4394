TEXT = encode(WORDS)
