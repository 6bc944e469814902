"""One genuine usage certificate and one genuine registration certificate, for tests that change a copy."""

from tests.support.bundles.builder import registration, usage

GENUINE = usage()
REGISTERED = registration()
