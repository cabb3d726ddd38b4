"""What anybody takes away to check acts and QR codes without us: the certificates and the keys, never a private one."""

from fastapi import APIRouter, Response

from permits.domain.trust import CodeKeys, TrustBundle, TrustedAuthority
from permits.register import trusted
from permits.web.context import Context, CurrentContext
from permits.web.policy import Policy, policy

router = APIRouter(prefix="/.well-known", tags=["trust"])

# Short: a key is used as soon as it is here.
_KEPT_FOR = "public, max-age=300"


@router.get("/permits-trust.json", operation_id="get_trust_bundle", summary="Télécharger la liste de confiance")
@policy(Policy.PUBLIC)
def get_trust_bundle(context: CurrentContext, response: Response) -> TrustBundle:
    """Les certificats qui ont scellé ici, leurs racines et les clés des codes QR, pour `permits verify`."""
    response.headers["Cache-Control"] = _KEPT_FOR
    identity = context.desk.today().law.rulebook.authority.identity
    return TrustBundle(
        authority=TrustedAuthority(id=identity.id, name=identity.name),
        made_at=context.desk.clock(),
        seals=trusted.seals(context.catalogue.engine, context.catalogue.authority),
        code_keys=_code_keys(context),
        roots=context.trusted_roots,
    )


@router.get("/jwks.json", operation_id="get_code_keys", summary="Lire les clés qui vérifient les codes QR signés")
@policy(Policy.PUBLIC)
def get_code_keys(context: CurrentContext, response: Response) -> CodeKeys:
    """Un jeu de clés JWK (RFC 7517) ; celles d’avant une rotation y restent."""
    response.headers["Cache-Control"] = _KEPT_FOR
    return _code_keys(context)


def _code_keys(context: Context) -> CodeKeys:
    return CodeKeys(keys=trusted.code_keys(context.catalogue.engine, context.catalogue.authority))
