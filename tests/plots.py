# SPDX-License-Identifier: GPL-2.0-only
"""Reads the plots that mmlens writes, with nothing but the standard library."""
import re
import struct
import xml.etree.ElementTree as tree
import zlib

SVG = "{http://www.w3.org/2000/svg}"


class Svg:
    """Raises what the parser does where it isn't well-formed."""

    def __init__(self, path):
        root = tree.parse(path).getroot()
        assert root.tag == SVG + "svg", root.tag
        self.width, self.height = (float(root.get(side))
                                   for side in ("width", "height"))
        self.title = root.find(SVG + "title").text
        self.texts = [each.text for each in root.iter(SVG + "text")]
        self.lines = [self._points(each)
                      for each in root.iter(SVG + "polyline")]
        self.areas = [self._points(each)
                      for each in root.iter(SVG + "polygon")]

    def _points(self, each):
        """(colour, points); each must be inside of the picture."""
        color = each.get("stroke") or each.get("fill")
        points = [tuple(map(float, point.split(",")))
                  for point in each.get("points").split()]
        for x, y in points:
            assert 0 <= x <= self.width and 0 <= y <= self.height, (x, y)
        return color, points

    def of(self, color):
        """All lines and areas of a colour that are longer than a legend's."""
        return [points for found, points in self.lines + self.areas
                if found == color and
                max(x for x, _ in points) - min(x for x, _ in points) > 20]


class Png:
    """Rows of (red, green, blue); raises AssertionError where it's no PNG."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        assert data[:8] == b"\x89PNG\r\n\x1a\n", "signature"
        self.text, packed, at = {}, b"", 8
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at:at + 8])
            body = data[at + 8:at + 8 + length]
            crc, = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
            assert crc == zlib.crc32(kind + body), f"CRC of {kind}"
            at += 12 + length
            if kind == b"IHDR":
                self.width, self.height, *form = struct.unpack(">IIBBBBB",
                                                               body)
                assert form == [8, 2, 0, 0, 0], form
            elif kind == b"IDAT":
                packed += body
            elif kind == b"tEXt":
                key, _, value = body.partition(b"\0")
                self.text[key.decode()] = value.decode("latin-1")
        assert kind == b"IEND", "it has no end"
        self.rows = self._unfiltered(zlib.decompress(packed))

    def _unfiltered(self, raw):
        stride, rows, before = self.width * 3, [], None
        assert len(raw) == (stride + 1) * self.height, "length"
        for y in range(self.height):
            start = y * (stride + 1)
            row = bytearray(raw[start + 1:start + 1 + stride])
            self._unfilter(raw[start], row, before or bytes(stride))
            rows.append(row)
            before = row
        return rows

    @staticmethod
    def _unfilter(kind, row, up):
        for i in range(len(row)) if kind else ():
            left = row[i - 3] if i >= 3 else 0
            corner = up[i - 3] if i >= 3 else 0
            guess = left + up[i] - corner
            nearest = min((left, up[i], corner),
                          key=lambda value: abs(guess - value))
            row[i] = (row[i] + (left, up[i], (left + up[i]) // 2,
                                nearest)[kind - 1]) & 255

    def count(self, color):
        """Pixels of exactly that colour, "#rrggbb"."""
        wanted = bytes.fromhex(color[1:])
        return sum(bytes(row[x:x + 3]) == wanted for row in self.rows
                   for x in range(0, len(row), 3))


def seconds_of(texts):
    """The labels of an axis of time, in seconds."""
    found = []
    for text in texts:
        if re.fullmatch(r"[\d.]+ s", text):
            found.append(float(text[:-2]))
        elif re.fullmatch(r"\d+:\d\d(:\d\d)?", text):
            parts = [int(part) for part in text.split(":")]
            found.append(sum(part * 60 ** at for at, part in
                             enumerate(reversed(parts))))
    return found
