"""Stories: what happened and what has to come of it, played through the real service on a clock moved by hand."""
