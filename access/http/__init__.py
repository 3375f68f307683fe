"""What our HTTP services have in common: errors, credentials, the protocol's bounds, serving until a signal."""
