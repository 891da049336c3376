"""Which verified pair of file and backend is the fastest here: the measuring, and the memory of it."""
