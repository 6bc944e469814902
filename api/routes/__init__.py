"""The routes of ``/v1``: thin, one file per noun."""
