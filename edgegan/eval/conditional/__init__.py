"""What a generator that is told what to draw makes of it, as a judge of drawn faces sees it."""
