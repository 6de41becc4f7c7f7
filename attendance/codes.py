"""
Verification codes, QR tokens and QR images.

A token names a class session, the generation of its codes and a time step, and is
signed with the site's key; it carries no student. The step is 0 while tokens do not
rotate in time. Because every genuine token stays provably genuine, one that was
replaced is told apart from a forged one.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import secrets
import unicodedata

import qrcode
import qrcode.image.svg
from django.core import signing

from attendance.exceptions import InvalidFormatError, InvalidTokenError

CODE_DIGITS = 6
_SALT = "attendance.qr-token"
# \Z and [0-9], because "$" and "\d" would let a line feed and other scripts pass.
_PAYLOAD = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})\.([0-9]{1,9})\Z")
# Hyphens in all but their Unicode category: the first comes from keyboards, the
# second from copied text.
_OTHER_HYPHENS = "\N{MINUS SIGN}\N{SOFT HYPHEN}"


@dataclasses.dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a genuine token says."""

    class_session_id: int
    generation: int
    step: int


def new_verification_code() -> str:
    """Six random digits; uniqueness is the database's to judge."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def normalize_verification_code(text: str) -> str:
    """
    The six ASCII digits in what a student typed.

    White space and hyphens are ignored; decimal digits of any script count. Raises
    InvalidFormatError when that does not leave six digits.
    """
    digits: list[str] = []
    for character in text:
        if character.isspace() or _is_hyphen(character):
            continue
        value = unicodedata.decimal(character, None)
        if value is None or len(digits) == CODE_DIGITS:
            raise InvalidFormatError
        digits.append(str(value))
    if len(digits) != CODE_DIGITS:
        raise InvalidFormatError
    return "".join(digits)


def _is_hyphen(character: str) -> bool:
    return unicodedata.category(character) == "Pd" or character in _OTHER_HYPHENS


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT, sep=".")


def make_token(class_session_id: int, generation: int, step: int = 0) -> str:
    """The signed token for the QR code of a class session."""
    return _signer().sign(f"{class_session_id}.{generation}.{step}")


def read_token(token: str) -> TokenClaims:
    """What `token` says. Raises InvalidTokenError unless we signed it."""
    try:
        payload = _signer().unsign(token)
    except (signing.BadSignature, UnicodeEncodeError):
        raise InvalidTokenError from None
    match = _PAYLOAD.match(payload)
    if match is None:
        raise InvalidTokenError
    return TokenClaims(*(int(part) for part in match.groups()))


class _CrispSvg(qrcode.image.svg.SvgPathImage):
    """Modules side by side without hairlines between them."""

    QR_PATH_STYLE = {
        **qrcode.image.svg.SvgPathImage.QR_PATH_STYLE,
        "shape-rendering": "crispEdges",
    }


@functools.lru_cache(maxsize=256)
def qr_svg(text: str) -> str:
    """
    `text` as a QR code: one SVG element that scales to whatever holds it.

    Kept, because making one takes longer than a page with 300 rows.
    """
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M,
        image_factory=_CrispSvg,
        border=4,
    )
    code.add_data(text)
    code.make(fit=True)
    svg: str = code.make_image().to_string(encoding="unicode")
    return svg
