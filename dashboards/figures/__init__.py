"""Figures of places: what days of channels come to for appliances, facilities, districts and nations. Pure."""
