"""The agent on the Pi: sensors in, readings published; survives without the network."""
