"""`text` of a rule document: terms to be found, and terms that must not be."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rules.adapters.matching import check_expression
from rules.adapters.schema.fields import Finding, Flag, Part, as_list, custom, refuse, written
from rules.domain import leaves
from rules.domain.matching.expressions import ExpressionError
from rules.domain.matching.text import is_maskable, patterns

MAX_TERMS = 500
"""Terms a rule may have: more belong into several rules, and make every save and every index larger."""

MAX_TERM = 100
"""Characters of a term; nobody types a longer one twice in the same way."""

MAX_EXPRESSION = 400
"""Characters of a regular expression; nobody reads a longer one."""

MAX_EXPRESSIONS = 20
"""Regular expressions a rule may have. All of a brand's are looked for in every text together, so each costs every text."""

Term = Annotated[str, Field(min_length=1, max_length=MAX_EXPRESSION), BeforeValidator(written)]
Terms = Annotated[list[Term], Field(max_length=MAX_TERMS), BeforeValidator(as_list)]


class TextPart(Part):
    """Terms to be found, and terms that must not be."""

    any: Terms = []
    none: Terms = []
    as_: Literal["words", "contains", "exact", "prefix", "regex"] = Field("words", alias="as")
    squeeze: Flag = False

    @model_validator(mode="after")
    def _check_terms(self) -> Self:
        if not self.any and not self.none:
            raise custom("empty", "needs terms in `any` or in `none`")
        check = self._expression_findings if self.as_ == "regex" else self._term_findings
        refuse(finding for name in ("any", "none") for finding in check(name, getattr(self, name)))
        if self.as_ == "regex" and self.squeeze:
            refuse([(("squeeze",), "squeeze", "a regular expression says itself what is repeated: write so+ for sooo")])
        return self

    def _term_findings(self, name: str, terms: list[str]) -> Iterator[Finding]:
        for place, term in enumerate(terms):
            if len(term) > MAX_TERM:
                yield (name, place), "string_too_long", f"a term has at most {MAX_TERM} characters"
            elif not patterns(term):
                yield (name, place), "term", "nothing of this term is ever found in a text"
            elif self.as_ != "exact" and is_maskable(term):
                yield (name, place), "term", "links and handles are left out before terms are looked for"

    def _expression_findings(self, name: str, terms: list[str]) -> Iterator[Finding]:
        for place, term in enumerate(terms):
            try:
                check_expression(term)
            except ExpressionError as error:
                yield (name, place), "regex", str(error)

    def terms(self) -> int:
        """Return how many terms it has."""
        return len(self.any) + len(self.none)

    def expressions(self) -> int:
        """Return how many of its terms are regular expressions."""
        return self.terms() if self.as_ == "regex" else 0

    def to_domain(self) -> leaves.TextLeaf:
        """Return what the evaluator reads."""
        return leaves.TextLeaf(tuple(self.any), tuple(self.none), leaves.TextMode(self.as_), self.squeeze)
