"""What DynamoDB allows in a value, as far as the decoder has to know it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

from typing import Final

SIGNIFICANT_DIGITS: Final = 38
HIGHEST_EXPONENT: Final = 125
LOWEST_EXPONENT: Final = -130
DEPTH: Final = 64
"""Nesting that is followed; DynamoDB allows 32 levels."""
