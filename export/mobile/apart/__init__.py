"""Programs that are run in a process of their own, by path: none imports edgegan, and nothing imports them."""
