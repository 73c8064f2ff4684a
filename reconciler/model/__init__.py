"""The nouns: frozen values without I/O that every step of the pipeline hands on."""
