"""Who paid: buyers found by their name, exactly, without their legal form, or by a similar one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from insureflow.domain.buyers import search_name

#: So many of the rarest pieces of a name find the candidates that are then compared as a whole.
_RAREST = 8
_MOST_CANDIDATES = 400
#: Names are similar from this share of common pieces on (twice the common ones, of those of both).
_SIMILAR = Fraction(3, 4)
_MOST_SIMILAR = 3


@dataclass(frozen=True, slots=True)
class KnownBuyer:
    """A buyer with every name it is known by."""

    id: int
    names: tuple[str, ...]


def _exact(name: str) -> str:
    return " ".join(name.casefold().split())


def _pieces(name: str) -> frozenset[str]:
    padded = f"  {name} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))


class NameIndex:
    """Buyers by name. Similar names are only looked for when somebody asks."""

    def __init__(self, buyers: Iterable[KnownBuyer]) -> None:
        self._exact: dict[str, set[int]] = {}
        self._plain: dict[str, set[int]] = {}
        self._pieces: dict[str, list[str]] | None = None
        self._found: dict[str, tuple[int, ...]] = {}
        for buyer in buyers:
            for name in buyer.names:
                self._exact.setdefault(_exact(name), set()).add(buyer.id)
                self._plain.setdefault(search_name(name), set()).add(buyer.id)
        self._plain.pop("", None)

    def exact(self, name: str) -> frozenset[int]:
        """Buyers with exactly this name, capitals aside."""
        return frozenset(self._exact.get(_exact(name), ())) if name.strip() else frozenset()

    def without_legal_form(self, name: str) -> frozenset[int]:
        """Buyers whose name is the same without case, accents, punctuation and legal form."""
        return frozenset(self._plain.get(search_name(name), ())) if name.strip() else frozenset()

    def similar(self, name: str) -> tuple[int, ...]:
        """Buyers with a similar name, the most similar first, at most three.

        *Formula:* 2 × common pieces of three letters ÷ pieces of both names; similar from 3/4 on.
        """
        wanted = search_name(name)
        if wanted not in self._found:
            self._found[wanted] = self._look(wanted) if wanted else ()
        return self._found[wanted]

    def _look(self, wanted: str) -> tuple[int, ...]:
        if self._pieces is None:
            self._pieces = {}
            for known in self._plain:
                for piece in _pieces(known):
                    self._pieces.setdefault(piece, []).append(known)
        mine = _pieces(wanted)
        postings = sorted((self._pieces[piece] for piece in mine if piece in self._pieces), key=len)[:_RAREST]
        candidates = Counter(known for posting in postings for known in posting)
        scored: list[tuple[Fraction, str]] = []
        for known, _count in candidates.most_common(_MOST_CANDIDATES):
            other = _pieces(known)
            share = Fraction(2 * len(mine & other), len(mine) + len(other))
            if share >= _SIMILAR:
                scored.append((share, known))
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        found = dict.fromkeys(buyer for _share, known in scored for buyer in sorted(self._plain[known]))
        return tuple(found)[:_MOST_SIMILAR]
