"""Build Parity's server: compares what laptops report with what is public."""
