"""Bytes in, readings kept: source, decoding, validation, pipeline, stores."""
