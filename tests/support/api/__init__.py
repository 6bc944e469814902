"""The application in tests, and its callers."""
