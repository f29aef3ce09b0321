"""Limits of DynamoDB's values that the decoder checks.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

from typing import Final

SIGNIFICANT_DIGITS: Final = 38
HIGHEST_EXPONENT: Final = 125
LOWEST_EXPONENT: Final = -130
DEPTH: Final = 64
"""Levels of maps and lists that are read; DynamoDB allows 32."""
