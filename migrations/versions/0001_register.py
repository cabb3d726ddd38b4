"""The register: numbers, acts, footprints, documents, audit chain, and the queue of what runs later."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

CREATE TABLE client (
    id uuid PRIMARY KEY,
    authority text NOT NULL,
    name text NOT NULL,
    key_id text NOT NULL UNIQUE,
    key_sha256 text NOT NULL CHECK (key_sha256 ~ '^[0-9a-f]{64}$'),
    sirens text[] NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE TABLE rulebook (
    digest text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
    authority text NOT NULL,
    files jsonb NOT NULL,
    recorded_at timestamptz NOT NULL
);

CREATE TABLE application (
    id uuid PRIMARY KEY,
    authority text NOT NULL,
    client_id uuid NOT NULL REFERENCES client,
    idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    body_sha256 text NOT NULL CHECK (body_sha256 ~ '^[0-9a-f]{64}$'),
    received_at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('granted', 'referred', 'awaiting_registry')),
    siret text NOT NULL CHECK (siret ~ '^[0-9]{14}$'),
    worksite_key text NOT NULL,
    assurance integer NOT NULL,
    payer_assurance integer NOT NULL,
    body jsonb NOT NULL,
    facts jsonb,
    decision jsonb,
    rulebook_digest text REFERENCES rulebook,
    decided_at timestamptz,
    UNIQUE (client_id, idempotency_key),
    CHECK (outcome = 'awaiting_registry'
           OR (facts IS NOT NULL AND decision IS NOT NULL AND rulebook_digest IS NOT NULL AND decided_at IS NOT NULL))
);
CREATE INDEX application_waiting ON application (authority, received_at) WHERE outcome = 'awaiting_registry';

CREATE TABLE application_contact (
    application_id uuid PRIMARY KEY REFERENCES application,
    email text,
    phone text
);

CREATE TABLE counter (
    authority text NOT NULL,
    series text NOT NULL,
    year integer NOT NULL,
    value integer NOT NULL CHECK (value > 0),
    PRIMARY KEY (authority, series, year)
) WITH (fillfactor = 10);

CREATE TABLE document (
    sha256 text PRIMARY KEY CHECK (sha256 = encode(sha256(content), 'hex')),
    content bytea NOT NULL,
    stored_at timestamptz NOT NULL
);
ALTER TABLE document ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE act (
    id uuid PRIMARY KEY,
    authority text NOT NULL,
    series text NOT NULL,
    year integer NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    label text NOT NULL,
    application_id uuid NOT NULL UNIQUE REFERENCES application,
    client_id uuid NOT NULL REFERENCES client,
    state text NOT NULL CHECK (state IN ('reserved', 'issued', 'annulled')),
    code text NOT NULL UNIQUE CHECK (length(code) >= 22),
    siret text NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL CHECK (ends_on >= starts_on),
    fee_total numeric(12, 2) NOT NULL CHECK (fee_total >= 0),
    payload jsonb NOT NULL,
    payload_sha256 text NOT NULL CHECK (payload_sha256 ~ '^[0-9a-f]{64}$'),
    reserved_at timestamptz NOT NULL,
    issued_at timestamptz,
    document_sha256 text REFERENCES document,
    UNIQUE (authority, series, year, number),
    UNIQUE (authority, label),
    CHECK ((state = 'issued') = (document_sha256 IS NOT NULL AND issued_at IS NOT NULL))
);
CREATE INDEX act_by_client ON act (client_id, year DESC, number DESC);
CREATE INDEX act_reserved ON act (reserved_at) WHERE state = 'reserved';

CREATE TABLE act_footprint (
    act_id uuid NOT NULL REFERENCES act DEFERRABLE INITIALLY DEFERRED,
    occupancy integer NOT NULL,
    authority text NOT NULL,
    footprint_core polygon NOT NULL,
    period daterange NOT NULL CHECK (NOT isempty(period)),
    worksite_key text NOT NULL,
    state text NOT NULL CHECK (state IN ('reserved', 'issued', 'annulled')),
    PRIMARY KEY (act_id, occupancy),
    CONSTRAINT no_double_booking EXCLUDE USING gist (
        footprint_core WITH &&, period WITH &&, authority WITH =, worksite_key WITH <>
    ) WHERE (state IN ('reserved', 'issued'))
);

CREATE TABLE audit_entry (
    authority text NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    at timestamptz NOT NULL,
    event text NOT NULL,
    entry jsonb NOT NULL,
    previous_sha256 text NOT NULL,
    sha256 text NOT NULL UNIQUE,
    PRIMARY KEY (authority, position)
);

CREATE TABLE audit_head (
    authority text PRIMARY KEY,
    position bigint NOT NULL,
    sha256 text NOT NULL
) WITH (fillfactor = 10);
"""

# What may never happen, whoever holds the connection.
GUARDS = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is not allowed: the register keeps everything', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER act_is_never_deleted BEFORE DELETE ON act FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER act_is_never_emptied BEFORE TRUNCATE ON act EXECUTE FUNCTION refuse();
CREATE TRIGGER act_footprint_is_never_deleted BEFORE DELETE ON act_footprint FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER document_never_changes BEFORE UPDATE OR DELETE ON document FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER audit_entry_never_changes
    BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER rulebook_never_changes BEFORE UPDATE OR DELETE ON rulebook FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER counter_is_never_deleted BEFORE DELETE ON counter FOR EACH ROW EXECUTE FUNCTION refuse();

CREATE FUNCTION act_moves_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - ARRAY['state', 'issued_at', 'document_sha256'])
       IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['state', 'issued_at', 'document_sha256']) THEN
        RAISE EXCEPTION 'act % is frozen', OLD.label USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state <> 'reserved' THEN
        RAISE EXCEPTION 'act % is % and stays so', OLD.label, OLD.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    UPDATE act_footprint SET state = NEW.state WHERE act_id = NEW.id AND state <> NEW.state;
    RETURN NEW;
END $$;
CREATE TRIGGER act_moves_only_forward BEFORE UPDATE ON act FOR EACH ROW EXECUTE FUNCTION act_moves_only_forward();

CREATE FUNCTION counter_steps_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.value <> OLD.value + 1
       OR (NEW.authority, NEW.series, NEW.year) IS DISTINCT FROM (OLD.authority, OLD.series, OLD.year) THEN
        RAISE EXCEPTION 'a counter only steps by one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER counter_steps_by_one BEFORE UPDATE ON counter FOR EACH ROW EXECUTE FUNCTION counter_steps_by_one();

CREATE FUNCTION act_takes_the_counter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM counter c WHERE c.authority = NEW.authority AND c.series = NEW.series
                   AND c.year = NEW.year AND c.value = NEW.number) THEN
        RAISE EXCEPTION 'number % was not given by the counter', NEW.label
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER act_takes_the_counter BEFORE INSERT ON act FOR EACH ROW EXECUTE FUNCTION act_takes_the_counter();
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(GUARDS)
    op.execute("CREATE SCHEMA jobs")
    op.execute("SET LOCAL search_path = jobs, public")
    # The queue's own script for the locked version; a newer version comes with a revision of its own.
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    op.execute("SET LOCAL search_path = public, jobs")
