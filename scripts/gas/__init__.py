"""What the contracts cost, measured on a local node, beside the limits."""
