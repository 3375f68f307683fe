"""Each alert comes to fire: a real Prometheus looks at the real pipeline while something goes wrong."""
