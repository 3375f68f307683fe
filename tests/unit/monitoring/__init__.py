"""What monitoring/ holds is held against the list of metrics."""
