"""The tests' second opinion, from Python's standard library alone.

second_implementation.py codes FILE  for each line "SECRET ALGORITHM DIGITS STEP": the code
second_implementation.py uris FILE   for each URI: its parts as JSON
"""

import base64
import hmac
import json
import struct
import sys
import urllib.parse


def code(line):
    """RFC 4226 section 5.3, with RFC 6238's choice of hash functions."""
    secret, algorithm, digits, step = line.split()
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">Q", int(step)), algorithm)
    truncated = struct.unpack_from(">I", mac, mac[-1] & 15)[0] & 0x7FFFFFFF
    return str(truncated % 10 ** int(digits)).zfill(int(digits))


def uri(line):
    parts = urllib.parse.urlsplit(line)
    issuer, _, account = parts.path.removeprefix("/").partition(":")
    return json.dumps(
        {
            "scheme": parts.scheme,
            "type": parts.netloc,
            "fragment": parts.fragment,
            "issuer": urllib.parse.unquote(issuer, errors="strict"),
            "account": urllib.parse.unquote(account, errors="strict"),
            "query": urllib.parse.parse_qsl(
                parts.query, keep_blank_values=True, strict_parsing=True, errors="strict"
            ),
        }
    )


task = {"codes": code, "uris": uri}[sys.argv[1]]
with open(sys.argv[2], encoding="ascii", newline="\n") as lines:
    for line in lines:
        print(task(line.rstrip("\n")))
