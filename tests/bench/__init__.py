"""The benchmarks: `python -m tests.bench`, which `deploy/bench` sets up and runs."""
