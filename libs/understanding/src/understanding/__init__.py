"""Understanding of comments: language, sentiment and flags, in tens of microseconds on one core.

Nothing is loaded at import. `Understander().understand(text)` answers with an `Understood`.
"""

from understanding.understander import Understander, Understood

__all__ = ["Understander", "Understood"]
