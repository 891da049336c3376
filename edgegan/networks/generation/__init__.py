"""Parts of the networks that draw pictures from noise, shared by their families."""
