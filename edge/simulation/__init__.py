"""A plausible health facility, simulated: weather, power, fridges, water, and a story of what goes wrong when.

Deterministic: every value follows from a profile, a seed and the time. Nothing here knows of sensors' drivers or wires.
"""
