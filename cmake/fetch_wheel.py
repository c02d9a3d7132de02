#!/usr/bin/env python3
"""Fetches the wheel of a requirement into FILE, from behind what FILE holds already.

pip finds the wheel and connects, as it is set up on this machine; it is asked from inside because its own download
begins anew each time. A connection that breaks is made again as long as each brings something. What FILE holds in the
end is for the caller to check. Messages go to stderr; 0 when FILE is as long as the wheel, else 1.
usage: fetch_wheel.py REQUIREMENT SHA256 FILE
"""
import logging
import os
import sys

from pip._internal.cli.cmdoptions import make_target_python
from pip._internal.commands import create_command
from pip._internal.utils.hashes import Hashes
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.requests import RequestException
from pip._vendor.urllib3.exceptions import HTTPError

# Wheels for this program, not for the Python that happens to be installed: no code of theirs is run.
PLATFORMS = ["manylinux_2_28", "manylinux_2_25", "manylinux_2_17", "manylinux2014"]
OPTIONS = ["--only-binary=:all:", "--no-deps", "--no-cache-dir", "--python-version=3.11", "--implementation=cp"]


def wheel_url(command, options, session, requirement, sha256):
    finder = command._build_package_finder(options, session, make_target_python(options))
    wanted = Requirement(requirement)
    best = finder.find_best_candidate(wanted.name, wanted.specifier, Hashes({"sha256": [sha256]})).best_candidate
    if best is None:
        sys.exit(f"ERROR: no wheel of {requirement} is to be had")
    return best.link.url_without_fragment


def size_of(file):
    return os.path.getsize(file) if os.path.exists(file) else 0


def fetch_some(session, url, file):
    """One connection's worth; True when the file is whole."""
    start = size_of(file)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    with session.get(url, headers=headers, stream=True) as response:
        if response.status_code == 416:  # nothing is behind what is there
            os.remove(file)
            return False
        response.raise_for_status()
        goes_on = response.status_code == 206
        total = int(response.headers["Content-Length"]) + (start if goes_on else 0)
        with open(file, "ab" if goes_on else "wb") as out:
            for piece in response.raw.stream(1 << 16):
                out.write(piece)
                if sys.stdout.isatty():
                    print(f"\r{out.tell() >> 20} of {total >> 20} MiB ", end="", flush=True)
    return size_of(file) == total


def fetch(session, url, file):
    while True:
        before, reason = size_of(file), "the connection brought nothing"
        try:
            if fetch_some(session, url, file):
                return
        except (RequestException, HTTPError) as error:
            reason = error
        if size_of(file) == before:
            sys.exit(f"ERROR: {reason}")


def main():
    requirement, sha256, file = sys.argv[1:]
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s: %(message)s")
    command = create_command("download")
    options, _ = command.parse_args(OPTIONS + [f"--platform={name}_x86_64" for name in PLATFORMS])
    with command.main_context():
        session = command.get_default_session(options)
        fetch(session, wheel_url(command, options, session, requirement, sha256), file)


main()
