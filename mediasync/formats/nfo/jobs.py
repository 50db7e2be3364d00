"""Parsing the jobs of people as files write them (``Executive Producer``, ``Drehbuch``). Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mediasync.vocabulary import PersonType

_FUNCTION_WORDS: Final = {
    "guest": PersonType.GUEST_STAR,
    "written by": PersonType.WRITER,
    "directed by": PersonType.DIRECTOR,
    "created by": PersonType.CREATOR,
    "produced by": PersonType.PRODUCER,
    "music by": PersonType.COMPOSER,
    "edited by": PersonType.EDITOR,
}
_JOBS: Final[tuple[tuple[re.Pattern[str], PersonType], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (
            r"(?:.+ )?producer|produ[ck]tion|produzent(?:in)?|producteur|productrice|productora?",
            PersonType.PRODUCER,
        ),
        (r"produttore|produtora?|produkcja|producent", PersonType.PRODUCER),
        (
            r"(?:tele|screen)play(?: by)?|story(?: by| editor)?|(?:original )?(?:story|novel|book)"
            r"|characters?|(?:staff|head|co-?)[ -]?writer|screen ?writer|dialogues?|adaptation|based on.*",
            PersonType.WRITER,
        ),
        (
            r"(?:dreh)?buch|drehbuchautor(?:in)?|autor(?:in)?|sc[ée]nario|sc[ée]nariste|gui[oó]n(?:ista)?"
            r"|sceneggiat(?:ura|ore|rice)|roteiro|roteirista|escritora?|manus|scenariusz|сценарий|сценарист",
            PersonType.WRITER,
        ),
        (
            r"regie|regisseur(?:in)?|r[ée]alisat(?:eur|rice|ion)|regia|regista|direcci[oó]n|directora"
            r"|dire[cç][aã]o|diretora?|regi|reżyseria|режисс[её]р",
            PersonType.DIRECTOR,
        ),
        (
            r"darsteller(?:in)?|schauspieler(?:in)?|act(?:eur|rice)|act(?:or|riz)|att(?:ore|rice)|at(?:or|riz)",
            PersonType.ACTOR,
        ),
        (
            r"gaststar|gastdarsteller(?:in)?|guest starring|special guest(?: star)?|guest actor",
            PersonType.GUEST_STAR,
        ),
        (r"musik|komponist(?:in)?|musique|compositeur|m[uú]sica|compositora?|musica", PersonType.COMPOSER),
    )
)


@lru_cache(maxsize=1024)
def parse_job(text: str) -> tuple[PersonType | None, str | None]:
    """Return the function that a job means, and the words of the job where they say more than the function.

    Example:
        >>> parse_job("Executive Producer"), parse_job("II")
        ((<PersonType.PRODUCER: 'producer'>, 'Executive Producer'), (None, None))
    """
    text = " ".join(text.split())
    kind = PersonType.parse(text)
    if isinstance(kind, PersonType) and kind is not PersonType.UNKNOWN:
        return kind, None
    if text.lower() in _FUNCTION_WORDS:
        return _FUNCTION_WORDS[text.lower()], None
    return next(((job, text) for pattern, job in _JOBS if pattern.fullmatch(text)), (None, None))
