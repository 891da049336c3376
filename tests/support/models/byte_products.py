"""Whether this processor adds products of bytes exactly."""

from edgegan.runtime.backends.processor import int8_arithmetic

# Without an instruction for it pairs of products are added in 16 bits, where large ones saturate: a quantised layer may
# be off, and the search for INT8 keeps it in float.
EXACT = bool(set(int8_arithmetic().split()) & {"vnni", "amx", "dotprod", "i8mm"})
