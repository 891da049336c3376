"""The INT8 forms, and the search for the mix that keeps the floor asked for."""
