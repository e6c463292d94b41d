"""Every figure that the project quotes, runnable: ``python -m benchmarks [TOPIC ...] [--quick]``.

A topic is one module in this folder with a function ``measure(quick: bool) -> Iterator[Figure]``; it is found by
being there, nothing is registered elsewhere. ``quick`` asks for loads that end within a few seconds. A figure is
``benchmarks.figure.Figure``: our number, the number of a bare counterpart measured in the same run, and the target;
the ratio of the two numbers is what can be compared between machines. Asynchronous measurements use ``asyncio.run``
inside ``measure``. Results are printed as a table and written to ``benchmarks/results/<topic>.json``.
"""
