"""Where Python environments keep their packages, whoever makes them."""
