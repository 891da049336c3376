"""What steers a run: sliders, keys and lines of text, how the picture is shown, and what is remembered of both."""
