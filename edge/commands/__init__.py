"""What a node obeys: commands and configurations that carry the service's signature, each of them replied to."""
