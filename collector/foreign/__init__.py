"""Devices that do not speak Vitals's wire format: one adapter file each, one row in ``table.py``."""
