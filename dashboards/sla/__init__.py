"""The contract figures: for how long each service of a facility was up, down or unknown, and its outages. Pure."""
