"""What the law wants erased: traces of the exchanges with the State's registry, readings of the book, old accounts;
and the day from which the personal data of a file count their period.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE registry_access (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authority text NOT NULL,
    at timestamptz NOT NULL,
    source text NOT NULL,
    siret text NOT NULL CHECK (siret ~ '^[0-9]{14}$'),
    purpose text NOT NULL CHECK (purpose IN ('filing', 'preview', 'consultation', 'waiting', 'sealing', 'operation')),
    about uuid,
    client_id uuid REFERENCES client,
    request_id uuid,
    outcome text CHECK (outcome IN ('found', 'not_found', 'protected', 'no_answer'))
);
CREATE INDEX registry_access_by_time ON registry_access (authority, at);
CREATE INDEX registry_access_by_siret ON registry_access (siret, at);

CREATE TABLE access_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authority text NOT NULL,
    at timestamptz NOT NULL,
    client_id uuid NOT NULL REFERENCES client,
    request_id uuid NOT NULL,
    what text NOT NULL CHECK (what IN ('application', 'permits', 'act', 'document')),
    subject text,
    CHECK ((what = 'permits') = (subject IS NULL))
);
CREATE INDEX access_log_by_time ON access_log (authority, at);
CREATE INDEX access_log_by_subject ON access_log (subject, at);

ALTER TABLE client
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT client_erased_is_blank CHECK (erased_at IS NULL
        OR (revoked_at IS NOT NULL AND name = '' AND key_sha256 = repeat('0', 64) AND sirens = '{}'));

-- The planner keeps samples of what a column held: not of these.
ALTER TABLE application_contact ALTER COLUMN email SET STATISTICS 0, ALTER COLUMN phone SET STATISTICS 0;
ALTER TABLE application_evidence ALTER COLUMN answer SET STATISTICS 0;
ALTER TABLE registry_access ALTER COLUMN siret SET STATISTICS 0;
ALTER TABLE client ALTER COLUMN name SET STATISTICS 0, ALTER COLUMN key_sha256 SET STATISTICS 0;

CREATE INDEX act_by_cites ON act (cites) WHERE cites IS NOT NULL;
CREATE INDEX application_by_amends ON application (amends) WHERE amends IS NOT NULL;
CREATE INDEX application_evidence_about_a_person ON application_evidence (application_id) WHERE about_a_person;
"""

# A log may be erased when its period is over, never rewritten.
GUARDS = """
CREATE FUNCTION registry_access_is_answered_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome IS NOT NULL OR (to_jsonb(NEW) - 'outcome') IS DISTINCT FROM (to_jsonb(OLD) - 'outcome') THEN
        RAISE EXCEPTION 'trace % is frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER registry_access_is_answered_once BEFORE UPDATE ON registry_access
    FOR EACH ROW EXECUTE FUNCTION registry_access_is_answered_once();
CREATE TRIGGER application_evidence_never_changes BEFORE UPDATE ON application_evidence
    FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER application_evidence_of_a_company_is_kept BEFORE DELETE ON application_evidence
    FOR EACH ROW WHEN (NOT OLD.about_a_person) EXECUTE FUNCTION refuse();
CREATE TRIGGER access_log_never_changes BEFORE UPDATE ON access_log FOR EACH ROW EXECUTE FUNCTION refuse();
"""

# A file is a first application with its extensions and corrections: its personal data are kept and erased together.
FILES = """
-- The day (in Paris) from which the file of an application counts its period: the last day that a permit of it
-- really covers, or that of the last act taken on it if later; when nobody answered, the last day asked for.
-- NULL while the file is open: an application waits for the registry, or a number is not sealed yet.
CREATE FUNCTION file_runs_until(the_application uuid) RETURNS date LANGUAGE sql STABLE AS $$
    WITH RECURSIVE file AS (
        SELECT the_application AS id
        UNION
        SELECT linked.id FROM file CROSS JOIN LATERAL (
            SELECT cited.application_id AS id
            FROM application later JOIN act cited ON cited.id = later.amends WHERE later.id = file.id
            UNION ALL
            SELECT later.id FROM act cited JOIN application later ON later.amends = cited.id
            WHERE cited.application_id = file.id AND cited.kind IN ('permit', 'extension', 'correction')
        ) linked
    ), answer AS (
        SELECT act.id, act.application_id, act.kind, act.state, act.reserved_at, act.ends_on, act.ended_on
        FROM file JOIN act ON act.application_id = file.id
        WHERE act.kind IN ('permit', 'extension', 'correction') OR (act.kind = 'refusal' AND act.state <> 'annulled')
    ), taken AS (
        SELECT kind, state, reserved_at, ends_on, ended_on FROM answer
        UNION ALL
        SELECT ruling.kind, ruling.state, ruling.reserved_at, ruling.ends_on, ruling.ended_on
        FROM answer JOIN act ruling ON ruling.cites = answer.id WHERE ruling.kind IN ('abrogation', 'withdrawal')
    )
    SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM taken WHERE state = 'reserved')
                 AND NOT EXISTS (SELECT 1 FROM file JOIN application a USING (id)
                                 WHERE a.outcome = 'awaiting_registry') THEN
        greatest(
            (SELECT max(greatest((reserved_at AT TIME ZONE 'Europe/Paris')::date, CASE
                WHEN state = 'issued' AND kind IN ('permit', 'extension', 'correction') THEN ends_on
                WHEN state = 'abrogated' THEN ended_on - 1 END)) FROM taken),
            (SELECT max(greatest((a.decided_at AT TIME ZONE 'Europe/Paris')::date, (a.body ->> 'ends_on')::date))
             FROM file JOIN application a USING (id)
             WHERE NOT EXISTS (SELECT 1 FROM answer WHERE answer.application_id = a.id)))
    END
$$;
"""


def upgrade() -> None:
    for script in (TABLES, GUARDS, FILES):
        op.execute(script)
