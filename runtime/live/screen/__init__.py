"""What people before a screen see over the picture: the view, the mark, the status line, sliders, help and messages."""
