"""Which facilities, equipment, nodes, channels and people there are: SQL, import and export."""
