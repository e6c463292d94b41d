"""Configuration, wiring, process life, metrics and the command line. Composes the parts; decides nothing for them."""
