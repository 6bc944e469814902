"""Runs the application in tests, and calls it as different parties."""
