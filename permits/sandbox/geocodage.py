"""The route of the Géoplateforme's geocoder, for the fictional town only: anywhere else is unknown to it."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from permits.sandbox.streets import Spot, find, town


def router() -> APIRouter:
    routes = APIRouter()

    @routes.get("/geocodage/search")
    def search(request: Request) -> JSONResponse:
        query = request.query_params.get("q", "").strip()
        if not (3 <= len(query) <= 200 and query[0].isalnum()):
            detail = ["q: must contain between 3 and 200 chars and start with a number or a letter"]
            return JSONResponse({"code": 400, "message": "Failed parsing query", "detail": detail}, 400)
        spot = find(query)
        return JSONResponse(
            {
                "type": "FeatureCollection",
                "version": "draft",
                "features": [_feature(spot)] if spot else [],
                "attribution": "BAN",
                "licence": "ETALAB-2.0",
                "query": query,
                "limit": 1,
            }
        )

    return routes


def _feature(spot: Spot) -> dict[str, Any]:
    place = town()
    properties: dict[str, Any] = {
        "label": spot.label,
        "score": spot.score,
        "id": f"{place.citycode}_0001",
        "name": spot.label.removesuffix(f" {place.postcode} {place.town}"),
        "postcode": place.postcode,
        "citycode": place.citycode,
        "city": place.town,
        "context": "29, Exemple",
        "type": spot.kind,
        "importance": 0.4,
    }
    if spot.street:
        properties["street"] = spot.street.name
    if spot.number:
        properties["housenumber"] = str(spot.number)
    geometry = {"type": "Point", "coordinates": list(spot.position)}
    return {"type": "Feature", "geometry": geometry, "properties": properties}
