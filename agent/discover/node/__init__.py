"""Where Node.js versions and their global packages lie, whoever manages them."""
