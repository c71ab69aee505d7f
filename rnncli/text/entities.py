"""Character references of HTML, such as &amp; and &#8217;."""

import html
import re

# Of more digits than any character has. Python refuses to read thousands of digits as a number.
LONG_NUMBER = re.compile(r"&#[0-9]{8,}")
NO_CHARACTER = "&#9999999"  # becomes U+FFFD


def with_short_numbers(text: str) -> str:
    """Write each reference by a number that no character has so that Python reads it."""
    return LONG_NUMBER.sub(NO_CHARACTER, text) if "&#" in text else text


def unescaped(text: str) -> str:
    """Replace the references in a text by their characters."""
    return html.unescape(with_short_numbers(text)) if "&" in text else text
