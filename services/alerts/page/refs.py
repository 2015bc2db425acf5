"""How an address names a site, a programme or a track: by a mark made from the name, never by it."""

import re
from hashlib import sha256

_REF = re.compile(r"~[0-9a-f]{12}")


def ref(name: str) -> str:
    """The mark of a name; a mark is its own."""
    if _REF.fullmatch(name):
        return name
    return f"~{sha256(name.encode(errors='replace')).hexdigest()[:12]}"
