"""The archive: months that are over, as sorted Parquet beside the journal's file. How and why: docs/archive.md."""
