"""The arrêté temporaire de police that goes with a permit whose site takes parking spaces or closes a lane: its draft.

It binds everybody, so a person takes it (CGCT art. L2213-1). This draft is computed and shown to staff; it is neither
numbered, recorded nor sealed.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from permits.domain.application import Application, Occupancy
from permits.domain.authority import PoliceOrderTerms
from permits.domain.decision import Citation, Verification
from permits.domain.drafting import application_visa
from permits.domain.establishment import Establishment, RegistryAnswer
from permits.domain.facts import Facts
from permits.domain.french import day_text, hour_text, measure
from permits.domain.model import Value
from permits.domain.permit import Appeal, IssuingAuthority, Signatory
from permits.domain.rulebook import Rulebook

NOTICE = (
    "Projet rédigé par un logiciel d’après la demande : sans numéro, sans signature, sans effet juridique. Il ne "
    "devient un arrêté qu’une fois complété, signé par une personne compétente et publié. Document préparatoire, non "
    "communicable tant que l’arrêté n’est pas pris (CRPA, art. L. 311-2, texte non vérifié)."
)
_TWO_MONTHS = Citation(text="code de justice administrative, article R. 421-1", verification=Verification.SECONDARY)
_APART = (
    "Le présent arrêté n’autorise pas l’occupation de la voie publique, qui fait l’objet d’un permis de stationnement. "
    "Les droits des tiers sont réservés."
)

# What the application does not say. The places reserved for disabled people: a principle whose text was not checked.
_OF_PARKING = (
    "Places : le côté de la rue et les repères de chaque place, vérifiés sur le terrain.",
    "Places réservées : aucune place réservée aux personnes handicapées n’est prise sans une place équivalente, que "
    "l’arrêté désigne (principe dont le texte n’est pas vérifié) ; voir aussi livraisons, taxis, recharge.",
    "Heures : si l’interdiction commence avant celles du chantier, pour que les places soient libres ; si elle vise "
    "aussi l’arrêt.",
)
_OF_TRAFFIC = (
    "Voie : laquelle est fermée (générale, bus, cyclable), dans quel sens, et la largeur qui reste libre, secours "
    "compris.",
    "Mode de passage : alternat (feux, piquets K10 ou panneaux), sens unique ou rue barrée.",
    "Déviation : son itinéraire, et l’accord du gestionnaire de chaque voie empruntée.",
    "Vitesse et dépassement : les limites au droit du chantier.",
    "Piétons, cyclistes, transports en commun, collecte des déchets, riverains et secours : par où chacun passe.",
)
_ALWAYS = (
    "Compétence : qui détient la police de la circulation et du stationnement sur cette voie (maire, président de "
    "l’intercommunalité ou du département, préfet), et les avis à recueillir.",
    "Nécessité : vérifier qu’aucune solution ne gêne moins, et que l’arrêté ne va pas au-delà du besoin du chantier.",
    "Permis de stationnement : il se décide à part ; sans lui, l’arrêté n’a pas d’objet.",
    "Signalisation : le délai de pose qui vaut dans cette rue, et qui constate que les panneaux sont en place.",
    "Texte public : vérifier que ni le nom du chantier ni les adresses ne nomment un particulier.",
)


class OrderArticle(Value):
    """An article: its title, its sentences in French, and the texts behind those that a city words.

    A sentence that begins with a dash is an item of a list; brackets hold what a person fills in.
    """

    title: str
    sentences: tuple[str, ...]
    cites: tuple[Citation, ...] = ()


class PoliceOrderDraft(Value):
    """The draft of an arrêté temporaire de police, in French. `to_complete` is what a person still decides or checks.

    `visas` are the texts that it cites, then `request`, the application. `signatory` is None when no delegation is
    valid on the day of the draft.
    """

    notice: str = NOTICE
    authority: IssuingAuthority
    title: str
    signatory: Signatory | None
    visas: tuple[Citation, ...]
    request: str
    considerations: tuple[str, ...]
    articles: tuple[OrderArticle, ...]
    to_complete: tuple[str, ...]


def draft_police_order(
    application: Application, facts: Facts, rulebook: Rulebook, *, application_id: str, on: date
) -> PoliceOrderDraft | None:
    """Return the draft for an application, as a person finds it on the day `on` in Paris.

    None when no occupancy takes a parking space or closes a lane, and when the rulebook has no `police_order`.
    """
    terms, signatory = rulebook.authority.police_order, rulebook.signatory_on(on)
    parking = tuple(each for each in application.occupancies if each.parking_spaces_taken)
    closing = tuple(each for each in application.occupancies if each.lane_closed)
    if terms is None or not (parking or closing):
        return None
    ruled = " et ".join(["le stationnement"] * bool(parking) + ["la circulation"] * bool(closing))
    places = " ; ".join(dict.fromkeys(each.place.address for each in (*parking, *closing)))
    return PoliceOrderDraft(
        authority=rulebook.authority.identity,
        title=f"Arrêté temporaire de police réglementant {ruled} ({places}) {_days(application)}",
        signatory=signatory,
        visas=terms.visas,
        request=application_visa(facts.received_at, application_id).text,
        considerations=(
            f"l’occupation de la voie publique que demande {_applicant(application, facts.registry)} pour le chantier "
            f"« {application.worksite} » nécessite {_needs(parking, closing)}",
            f"la sécurité des usagers et celle du chantier imposent de réglementer {ruled} pendant cette occupation",
        ),
        articles=(
            *_measures(application, terms, parking, closing),
            *_terms(terms, rulebook.authority.appeal),
        ),
        to_complete=(
            *_before_signing(application, signatory, on),
            *_ALWAYS,
            *(_OF_PARKING if parking else ()),
            *(_OF_TRAFFIC if closing else ()),
        ),
    )


def _applicant(application: Application, answer: RegistryAnswer) -> str:
    """Name the company; by its SIRET alone when the registry masks or protects its name: the order is published."""
    if isinstance(answer, Establishment) and answer.name is not None and not answer.partially_diffusible:
        return f"l’entreprise {answer.name} (SIRET {application.siret})"
    return f"l’entreprise de SIRET {application.siret}"


def _needs(parking: tuple[Occupancy, ...], closing: tuple[Occupancy, ...]) -> str:
    needed = [_spaces(sum(each.parking_spaces_taken for each in parking))] if parking else []
    if closing:
        where = f" en {len(closing)} endroits" if len(closing) > 1 else ""
        needed.append(f"la fermeture d’une voie à la circulation{where}")
    return " et ".join(needed)


def _measures(
    application: Application, terms: PoliceOrderTerms, parking: tuple[Occupancy, ...], closing: tuple[Occupancy, ...]
) -> Iterator[OrderArticle]:
    """Give the articles that forbid: of parking, of traffic, or one of each; every occupancy concerned is an item."""
    when = _when(application)
    if parking:
        spaces = (f"{_spaces(each.parking_spaces_taken)} [côté de la rue et repères à préciser]" for each in parking)
        yield OrderArticle(
            title="Stationnement",
            sentences=(
                f"Le stationnement de tout véhicule est interdit {when}, au droit du chantier :",
                *_items(parking, spaces),
                "Cette interdiction ne vise pas les véhicules et les installations que le permis de stationnement "
                "autorise à cet endroit.",
                terms.parking_breach.text,
            ),
            cites=(terms.parking_breach.cites,),
        )
    if closing:
        yield OrderArticle(
            title="Circulation",
            sentences=(
                f"Une voie est fermée à la circulation {when}, au droit du chantier :",
                *_items(closing, ("[voie et sens à préciser]" for _ in closing)),
                "[Mode de passage à préciser : alternat, sens unique ou déviation ; vitesse.]",
            ),
        )


def _items(occupancies: tuple[Occupancy, ...], taken: Iterable[str]) -> Iterator[str]:
    """Give a line for each occupancy: where, what stands there, and what it takes."""
    for position, (each, what) in enumerate(zip(occupancies, taken, strict=True), start=1):
        pieces = f" × {each.pieces}" if each.pieces > 1 else ""
        length = f", longueur {measure(each.length_m)} m" if each.length_m is not None else ""
        end = "." if position == len(occupancies) else " ;"
        yield f"– {each.place.address} ({each.kind.label}{pieces}{length}) : {what}{end}"


def _terms(terms: PoliceOrderTerms, appeal: Appeal) -> Iterator[OrderArticle]:
    """Give the articles that are the same whatever the place and the days."""
    routes = (
        "Il peut faire l’objet, dans les deux mois de sa publication, d’un recours gracieux auprès de l’autorité "
        f"suivante : {appeal.authority}, ou d’un recours devant la juridiction suivante : {appeal.court} "
        f"({appeal.court_address}, ou www.telerecours.fr)."
    )
    yield OrderArticle(title="Signalisation", sentences=(terms.signs.text,), cites=(terms.signs.cites,))
    yield OrderArticle(title="Permis de stationnement", sentences=(_APART,))
    yield OrderArticle(
        title="Publicité et recours",
        sentences=(terms.publicity.text, routes),
        cites=(terms.publicity.cites, _TWO_MONTHS),
    )
    yield OrderArticle(title="Exécution", sentences=(terms.execution,))


def _before_signing(application: Application, signatory: Signatory | None, on: date) -> Iterator[str]:
    if signatory is None:
        yield f"Signature : aucune délégation n’est valable le {day_text(on)} ; désigner qui signe, revoir les visas."
    else:
        who = f"{signatory.first_name} {signatory.name}"
        yield (
            f"Signature : vérifier que la délégation de {who} couvre la police de la circulation et du stationnement "
            f"– {signatory.delegation}."
        )
    if application.starts_on <= on:
        yield "Dates : la période demandée a commencé, et un arrêté ne règle que l’avenir ; changer le premier jour."


def _days(application: Application) -> str:
    if application.starts_on == application.ends_on:
        return f"le {day_text(application.starts_on)}"
    return f"du {day_text(application.starts_on)} au {day_text(application.ends_on)} inclus"


def _when(application: Application) -> str:
    hours, days = application.daily_hours, _days(application)
    if hours is None:
        return f"{days}, de jour comme de nuit"
    each_day = "chaque jour " if application.days > 1 else ""
    return f"{days}, {each_day}de {hour_text(hours.from_)} à {hour_text(hours.to)}"


def _spaces(count: int) -> str:
    plural = "s" * (count > 1)
    return f"{count} place{plural} de stationnement"
