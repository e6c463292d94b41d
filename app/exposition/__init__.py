"""The figures that there are thousands of, written as text for Prometheus."""
