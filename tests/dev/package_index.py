#!/usr/bin/env python3
"""An index of packages with one file, on a free port of this machine, which it prints.

The first part of a path says how it serves: good; cut, two bytes a connection; silent, no byte; whole, without ranges;
wrong, another file under the sha256; missing, no page. Requests are written to the file named: their range or page.
usage: package_index.py LOG
"""
import hashlib
import http.server
import sys

WHEEL = b"the wheel"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        how, name = self.path.strip("/").split("/", 1)
        if name != "part" and not name.endswith(".whl"):
            return self.send_error(404)
        if how == "missing":
            return self.send_error(404)
        if name == "part":
            self.log("html")
            link = f'<!DOCTYPE html><html><a href="../part-1.0-py3-none-any.whl#sha256={hashlib.sha256(WHEEL).hexdigest()}">part-1.0-py3-none-any.whl</a></html>'
            return self.send(200, link.encode())
        wheel = b"another wheel" if how == "wrong" else WHEEL
        start = self.headers.get("Range")
        start = int(start.removeprefix("bytes=").rstrip("-")) if start and how != "whole" else 0
        self.log(f"from {start}" if start else "all")
        if start >= len(wheel):
            return self.send_error(416)
        sent = {"cut": wheel[start : start + 2], "silent": b""}.get(how, wheel[start:])
        self.send(206 if start else 200, sent, start, len(wheel))

    def send(self, status, body, start=0, total=None):
        total = total or len(body)
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(total - start))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.end_headers()
        self.wfile.write(body)

    def log(self, line):
        with open(sys.argv[1], "a") as log:
            print(line, file=log)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
