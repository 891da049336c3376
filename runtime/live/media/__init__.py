"""Films as FFmpeg's libraries read them: which tracks, and their pictures as they are meant to be seen."""
