"""Core ML, on Macs; reads .mlpackage folders."""
