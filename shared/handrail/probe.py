"""Asks this container's service whether it is ready: exit code 0 when it is."""

import os
import sys
from http.client import HTTPConnection, HTTPException

OK = 200


def is_ready() -> bool:
    """Whether everything the service needs answers."""
    port = int(os.environ.get("HANDRAIL_HTTP_PORT", "8080"))
    connection = HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_ready())
