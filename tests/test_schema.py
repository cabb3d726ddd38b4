"""The committed schema is what the migrations make."""

from permits.register.schema_dump import dump_schema
from tests.fakes import ROOT


def test_the_migrated_schema_equals_the_committed_one(postgres: str) -> None:
    committed = (ROOT / "migrations" / "schema.sql").read_text()

    assert dump_schema(postgres) == committed, "run `make schema` and read the difference"
    keys = "footprint_core WITH &&, period WITH &&, authority WITH =, space WITH =, worksite_key WITH <>"
    assert f"EXCLUDE USING gist ({keys})" in committed
