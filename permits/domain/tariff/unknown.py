"""Why a fee can't be told: a person fixes it then; it is never zero by default."""

from permits.domain.application import Kind


class FeeUnknown(Exception):
    """The fee can't be computed; the message says in French what is missing."""


class NoPrice(FeeUnknown):
    """The scale in force has no line, or no price, for this occupancy."""

    def __init__(self, kind: Kind | None, scale: str, why: str = "") -> None:
        what = f"ce type d’occupation ({kind.label}) dans ce cas" if kind else "ce dossier"
        super().__init__(f"« {scale} » n’a pas de prix pour {what}" + (f" : {why}" if why else ""))
        self.kind = kind


class ChangingBase(FeeUnknown):
    """The scales of the period count this kind in ways that can't be added up across the change."""

    def __init__(self, kind: Kind | None) -> None:
        super().__init__("le tarif change de base pendant la période" + (f" ({kind.label})" if kind else ""))


class NotDeclared(FeeUnknown):
    """The price depends on something that the application doesn't say."""

    def __init__(self, what: str, kind: Kind | None) -> None:
        about = f" ({kind.label})" if kind else ""
        super().__init__(f"la redevance dépend de ce qui n’est pas déclaré{about} : {what}")
        self.what = what


class NotConfirmed(FeeUnknown):
    """The price depends on dimensions that the drawing contradicts, or can't confirm."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"la redevance dépend de dimensions que l’emprise dessinée ne confirme pas ({kind.label})")


class CostsLess(FeeUnknown):
    """The whole period costs less than what was already due for a part of it."""

    def __init__(self, number: str) -> None:
        super().__init__(f"la période entière coûte moins que ce qui est déjà dû pour le permis {number}")


class RoundsToNothing(FeeUnknown):
    """What is charged comes to nothing once rounded, and no text makes it free."""

    def __init__(self) -> None:
        super().__init__("la somme arrondie est nulle, sans texte qui la rende gratuite")
