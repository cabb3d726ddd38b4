"""Why a source was not asked, or said nothing usable: a technical word for logs and programs, French for people."""

import re

SWITCHED_OFF = "switched off"
RESTING = "resting after failures in a row"
AT_PEACE = "left alone, as it asked"
AT_PEACE_FOR_THIS_SIRET = "not to be asked about this SIRET yet"
OUT_OF_QUOTA = "its quota of calls is used up"
OUT_OF_BUDGET = "nothing left in the budget"
OUT_OF_TIME = "no whole answer within the budget"
CLOSED = "this client is closed"
RECIPIENT = "the recipient can't ask about itself"
UNUSABLE = "unusable answer"
TOO_MANY = "too many look-ups are waiting"
ANOTHER_LOOK_UP = "another look-up of this SIRET has not ended"

_FRENCH = {
    SWITCHED_OFF: "laissée de côté (`permits sirene off`)",
    RESTING: "au repos après plusieurs échecs",
    AT_PEACE: "laissée en paix, comme elle l’a demandé",
    AT_PEACE_FOR_THIS_SIRET: "elle a demandé d’attendre pour ce SIRET",
    OUT_OF_QUOTA: "quota d’appels épuisé",
    OUT_OF_BUDGET: "plus de temps ou d’essais pour cette demande",
    OUT_OF_TIME: "pas de réponse entière à temps",
    CLOSED: "le service s’arrête",
    RECIPIENT: "l’administration ne peut pas l’interroger sur elle-même",
    TOO_MANY: "trop de recherches attendent déjà",
    ANOTHER_LOOK_UP: "une autre recherche de ce SIRET n’a pas fini",
    "the answer has grown too old to decide on": "la réponse a vieilli avant la décision",
}


def in_french(reasons: str) -> str:
    """Return reasons as a person reads them; a status or the name of a network failure stays as it is."""
    reasons = re.sub(f"{UNUSABLE}[^;]*", "réponse inutilisable", reasons)
    for reason, french in _FRENCH.items():
        reasons = reasons.replace(reason, french)
    return reasons
