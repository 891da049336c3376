"""Where the page is served, and who may come in: address, certificate, token."""
