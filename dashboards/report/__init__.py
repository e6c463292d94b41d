"""Reports on paper: what a month or any period came to, for facilities and places. Pure."""
