"""Published networks, written from their facts alone."""
