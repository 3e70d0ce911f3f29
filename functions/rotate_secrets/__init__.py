"""Changes secrets on time, without a gap for what uses them."""
