"""Sources around another one: at its own speed, held at one picture, or opened again when it went away."""
