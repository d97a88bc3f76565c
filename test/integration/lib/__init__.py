"""What the integration tests stand on: an API client, a watch recorder, clusters and processes.

Python's standard library only.
"""
