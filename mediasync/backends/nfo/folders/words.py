"""The words for seasons, episodes, specials and numbers in the names of files and folders.

Names are compared without accents, because many are written without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from mediasync.formats.nfo.cleaning import fold

SEASON_WORDS: Final = (
    *("season", "series", "serie", "saison", "staffel", "temporada", "tempada", "stagione", "seizoen"),
    *("sezon", "sezonul", "sezona", "sezonas", "sæson", "säsong", "sesong", "kausi", "hooaeg"),
    *("séria", "řada", "évad", "þáttaröð", "denboraldia", "mùa", "phần", "musim"),
    *("сезон", "сезона", "σεζόν", "κύκλος", "עונה", "الموسم", "موسم", "فصل"),
    *("シーズン", "시즌", "ซีซั่น", "ซีซัน", "ฤดูกาล", "सीज़न", "सीजन", "সিজন"),
)
EPISODE_WORDS: Final = (
    *("episode", "episodes", "episodio", "episódio", "episod", "episodul", "epizoda", "epizod", "ep", "eps"),
    *("folge", "capítulo", "capítol", "cap", "puntata", "aflevering", "avsnitt", "afsnit", "odcinek", "díl"),
    *("osa", "jakso", "rész", "bölüm", "серия", "серії", "серія", "эпизод", "епизод", "επεισόδιο", "פרק"),
    *("الحلقة", "حلقة", "tập", "エピソード", "에피소드", "ตอน", "एपिसोड"),
)
SPECIALS: Final = (
    *("special", "specials", "special episodes", "specials episodes"),
    *("spéciaux", "épisodes spéciaux", "hors-série", "hors série", "hors-séries", "hors saison"),
    *("especial", "especiales", "especiais", "episodios especiales", "episódios especiais"),
    *("speciali", "episodi speciali", "specialen", "sonderfolgen", "sonderfolge", "sonderepisoden"),
    *("specialer", "specialavsnitt", "specialafsnit", "spesial", "spesialepisoder", "erikoisjaksot"),
    *("speciály", "speciální epizody", "špeciály", "specjalne", "odcinki specjalne", "különkiadások"),
    *("özel bölümler", "özel bölüm", "episoade speciale", "ειδικά επεισόδια"),
    *("спецвыпуски", "спецвыпуск", "спешлы", "спецэпизоды", "специальные выпуски", "спеціальні випуски"),
    *("特典", "特典映像", "特別編", "特别篇", "特別篇", "番外編", "番外篇", "スペシャル", "스페셜", "특별편"),
)

CARDINALS: Final = (
    "one two three four five six seven eight nine ten eleven twelve",
    "eins zwei drei vier fünf sechs sieben acht neun zehn",
    "un deux trois quatre cinq six sept huit neuf dix",
    "uno dos tres cuatro cinco seis siete ocho nueve diez",
    "uno due tre quattro cinque sei sette otto nove dieci",
    "um dois três quatro cinco seis sete oito nove dez",
    "een twee drie vier vijf zes zeven acht negen tien",
    "א ב ג ד ה ו ז ח ט י",
)
ORDINALS: Final = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
    "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte",
    "première deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième",
    "primera segunda tercera cuarta quinta sexta séptima octava novena décima",
    "primeira segunda terceira quarta quinta sexta sétima oitava nona décima",
    "prima seconda terza quarta quinta sesta settima ottava nona decima",
    "eerste tweede derde vierde vijfde zesde zevende achtste negende tiende",
    "första andra tredje fjärde femte sjätte sjunde åttonde nionde tionde",
    "første anden tredje fjerde femte sjette syvende ottende niende tiende",
    "ensimmäinen toinen kolmas neljäs viides kuudes seitsemäs kahdeksas yhdeksäs kymmenes",
    "pierwszy drugi trzeci czwarty piąty szósty siódmy ósmy dziewiąty dziesiąty",
    "první druhá třetí čtvrtá pátá šestá sedmá osmá devátá desátá",
    "első második harmadik negyedik ötödik hatodik hetedik nyolcadik kilencedik tizedik",
    "birinci ikinci üçüncü dördüncü beşinci altıncı yedinci sekizinci dokuzuncu onuncu",
    "первый второй третий четвёртый пятый шестой седьмой восьмой девятый десятый",
    "перший другий третій четвертий п'ятий шостий сьомий восьмий дев'ятий десятий",
    "الأول الثاني الثالث الرابع الخامس السادس السابع الثامن التاسع العاشر",
)
ROMAN: Final = "i ii iii iv v vi vii viii ix x xi xii"


def either(words: Iterable[str]) -> str:
    """Return the source of a pattern that matches any of some words, the longest first."""
    folded = {fold(word) for word in words}
    return "|".join(re.escape(word) for word in sorted(folded, key=lambda word: (-len(word), word)))


def numbered(*rows: str) -> dict[str, int]:
    """Return the number of each word in rows that count from 1.

    Example:
        >>> numbered("one two", "un deux")["deux"]
        2
    """
    return {fold(word): number for row in rows for number, word in enumerate(row.split(), 1)}
