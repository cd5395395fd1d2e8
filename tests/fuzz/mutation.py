"""Bytes changed at random, by seed: what a bad disk, a cut download or a hostile sender makes of a file."""

from __future__ import annotations

import random

_NUMBERS = (b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f")
_WORDS = (b",", b"\n", b'"', b"NA", b"inf", b"-1", b"=1", b"../", b"\x1b[", "\u202e".encode(), b"{", b"[", b"1e999")
_MOST = 4


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content after one to four changes."""
    found = bytearray(content)
    for _ in range(chance.randint(1, _MOST)):
        _change(found, chance)
    return bytes(found)


def _change(found: bytearray, chance: random.Random) -> None:
    begin = chance.randrange(len(found) + 1)
    end = min(len(found), begin + chance.choice((1, 2, 4, 16, 256)))
    match chance.randrange(7):
        case 0:
            del found[begin:]
        case 1:
            del found[begin:end]
        case 2:
            found[begin:end] = chance.randbytes(end - begin)
        case 3:
            found[begin:begin] = chance.choice(_NUMBERS + _WORDS)
        case 4:
            number = chance.choice(_NUMBERS)
            found[begin : begin + len(number)] = number
        case 5:
            place = chance.randrange(len(found) + 1)
            found[place:place] = found[begin:end]
        case _ if begin < len(found):
            found[begin] ^= 1 << chance.randrange(8)
