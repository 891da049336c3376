"""The float graphs: traced, varied, in half precision, and suited to their runtimes."""
