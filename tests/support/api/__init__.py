"""The application with everyone who calls it."""
