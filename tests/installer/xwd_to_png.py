"""Turns the screen of an Xvfb (-fbdir; 24 of 32 bits) into a PNG; fails where it is all one colour.
usage: xwd_to_png.py FILE.xwd FILE.png"""
import struct
import sys
import zlib


def main(source, target):
    data = open(source, "rb").read()
    header = struct.unpack(">25I", data[:100])
    length, width, height, row, colours = header[0], header[4], header[5], header[12], header[19]
    start = length + 12 * colours
    lines = []
    for y in range(height):
        line = data[start + y * row:start + y * row + 4 * width]
        pixels = bytearray(3 * width)
        pixels[0::3], pixels[1::3], pixels[2::3] = line[2::4], line[1::4], line[0::4]
        lines.append(b"\0" + bytes(pixels))
    if len(set(lines)) < 2:
        sys.exit(f"{source} is all one colour")

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    with open(target, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b""))


main(*sys.argv[1:])
