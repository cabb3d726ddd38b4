"""The fee: what a scale charges, line by line, told in French. Figures in, a bill out; no other part of the law."""
