"""The site on several machines: each with a network, and an address, of its own."""
