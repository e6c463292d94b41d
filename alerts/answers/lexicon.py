"""The words that people answer with, in English, French, Portuguese, Swahili and Arabic.

Every word is written as ``alerts.answers.parse`` folds it: lower case, no accents, no apostrophes, no hamza on an alif.
Adding a language or a word costs a line here.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Sense(StrEnum):
    """What a word can be in an answer."""

    GOING = "going"
    HELP = "help"
    DONE = "done"
    YES = "yes"
    """Agreement: means GOING where it stands alone, and adds nothing to another word."""
    STATUS = "status"
    HOW = "how"
    STOP = "stop"
    MARKER = "marker"
    """What stands before a reference."""
    FILLER = "filler"
    """A greeting, a courtesy, an "and"."""


CODES: Final = {1: Sense.GOING, 2: Sense.HELP, 9: Sense.DONE}
"""The digits that messages ask people to reply with."""

_GOING = """
going | i go | i will go | i am going | im going | i am on my way | on my way | coming | i am coming | im coming
im on my way | on the way | i am on the way | im on the way | we go | we are going | we are coming | we are on the way
i take it | i will take it | ill go | i have it | ack | acknowledge | acknowledged
jy vais | je vais y aller | je viens | je pars | jarrive | en route | je suis en route | je men occupe
vou | eu vou | vou la | a caminho | estou a caminho | vou a caminho
naenda | ninaenda | nitaenda | nakuja | ninakuja | naja | niko njiani
انا ذاهب | ذاهب | ذاهبة | ساذهب | سوف اذهب | انا قادم | قادم | قادمة | في الطريق | انا في الطريق
"""
_HELP = """
need help | i need help | we need help | help me | help us | help needed | send help | help please | please help
aide | aidez | aidez moi | aidez nous | besoin daide | jai besoin daide | au secours | secours
ajuda | preciso de ajuda | preciso ajuda | precisamos de ajuda | ajude me | ajudem | socorro
msaada | nahitaji msaada | ninahitaji msaada | tunahitaji msaada | naomba msaada | nisaidie | nisaidieni | tusaidieni
مساعدة | مساعده | احتاج مساعدة | احتاج الى مساعدة | نحتاج مساعدة | ساعدوني | ساعدونا | النجدة
"""
_DONE = """
done | finished | fixed | resolved | solved | closed | close | completed | all done | it is done | its done
fini | finie | termine | terminee | fait | cest fait | cest fini | repare | regle | resolu
feito | esta feito | pronto | concluido | terminado | resolvido | reparado | consertado | acabado
tayari | imekwisha | imeisha | nimemaliza | tumemaliza | imetengenezwa | imerekebishwa
تم | تمت | انتهى | انتهت | انتهينا | تم الاصلاح | تم اصلاحه | تم الحل
"""
_YES = """
ok | okay | oki | yes | yep | oui | daccord | sim | ndiyo | ndio | sawa | نعم | تمام | حسنا | موافق | اوكي
"""
_STATUS = """
status | state | list | statut | etat | situation | liste | estado | situacao | lista | hali | orodha
حالة | الحالة | حاله | الحاله | الوضع | وضع
"""
_HOW = """
help | ? | ؟ | info | how | menu | comment | como | jinsi | namna | vipi | كيف
"""
_STOP = """
stop | stop all | unsubscribe | cancel | quit
arret | arreter | arretez | parar | pare | cancelar | acha | simama | sitisha
توقف | قف | ايقاف | الغاء
"""
_MARKER = """
# | ref | refs | reference | references | referencia | kumb | kumbukumbu | nambari | مرجع | المرجع | رقم
alarm | alert | alarme | alerte | alerta | kengele | انذار | number | numero | nr
"""
_FILLER = """
and | et | e | na | و | also | for | to | at | pour | para | kwa
please | pls | svp | sil vous plait | por favor | tafadhali | من فضلك
hi | hello | good morning | good evening
bonjour | bonsoir | ola | bom dia | boa noite | habari | jambo | salam | سلام | مرحبا
السلام عليكم | thanks | thank you | merci | obrigado | obrigada | asante | asante sana | shukran | شكرا
sir | madam | doctor | dr | reply | it is | its
"""
_NEGATIONS = """
not | no | cant | cannot | dont | wont | never | non | pas | ne | nao | nunca | hapana | siwezi | sio | si | bado
لا | لن | لم | ليس
"""
_UNITS = """
dose | doses | dozi | جرعة | جرعات | vial | vials | c | degrees | h | hr | hrs | hour | hours | heure | heures | hora
horas | min | mins | minute | minutes | minutos | minuta | saa | day | days | jours | dias | siku
"""


def _phrases(sense: Sense, lines: str) -> Iterable[tuple[tuple[str, ...], Sense]]:
    for line in lines.strip().splitlines():
        for phrase in line.split("|"):
            yield tuple(phrase.split()), sense


def _words(lines: str) -> frozenset[str]:
    return frozenset(lines.replace("|", " ").split())


NEGATIONS: Final = _words(_NEGATIONS)
"""Words that turn "I go" round."""
UNITS: Final = _words(_UNITS)
"""What makes the number before it a figure, not a reference: ``9 12 doses``."""
AUXILIARIES: Final = frozenset({"تم", "تمت"})
"""Words that mean DONE alone, and begin a passive before a verbal noun."""
LEXICON: Final[dict[tuple[str, ...], Sense]] = {
    words: sense
    for group in (
        _phrases(Sense.FILLER, _FILLER),
        _phrases(Sense.MARKER, _MARKER),
        _phrases(Sense.STOP, _STOP),
        _phrases(Sense.HOW, _HOW),
        _phrases(Sense.STATUS, _STATUS),
        _phrases(Sense.YES, _YES),
        _phrases(Sense.DONE, _DONE),
        _phrases(Sense.HELP, _HELP),
        _phrases(Sense.GOING, _GOING),
    )
    for words, sense in group
}
"""Phrases, as tuples of folded words, and what they are."""

LONGEST_PHRASE: Final = max(map(len, LEXICON))
SURE_MARKERS: Final = frozenset({"#", "ref", "refs", "reference", "references", "referencia", "kumb", "مرجع", "المرجع"})
"""Markers that make a number a reference wherever it stands; a note may well speak of "alarm 2"."""
