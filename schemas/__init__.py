"""The facts every part of Runledger shares: events, snapshots, jobs, topics and their codec.

Everything may import this package; it imports nothing of ours.
"""
