"""A live run: frames from a source, edited, controlled, shown and written."""
