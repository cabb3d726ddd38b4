"""The life of acts: kinds, ends, notification; numbers and audit entries given by the database in one statement;
what may be erased in tables of its own; the switch that suspends issuing.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CLIENTS_AND_APPLICATIONS = """
ALTER TABLE client ADD COLUMN sandbox boolean NOT NULL DEFAULT false;

ALTER TABLE application
    ADD COLUMN amends uuid REFERENCES act,
    ADD COLUMN sandbox boolean NOT NULL DEFAULT false;

CREATE TABLE application_evidence (
    application_id uuid PRIMARY KEY REFERENCES application,
    answer jsonb NOT NULL,
    about_a_person boolean NOT NULL,
    asked_at timestamptz NOT NULL
);
INSERT INTO application_evidence
SELECT id, facts -> 'registry', coalesce(facts #>> '{registry,legal_form}', '1') LIKE '1%', decided_at
FROM application WHERE facts ? 'registry';
UPDATE application SET facts = facts - 'registry' WHERE facts ? 'registry';
"""

ACTS = """
ALTER TABLE act
    ADD COLUMN kind text NOT NULL DEFAULT 'permit'
        CHECK (kind IN ('permit', 'extension', 'correction', 'refusal', 'abrogation', 'withdrawal')),
    ADD COLUMN cites uuid REFERENCES act,
    ADD COLUMN taken_by text,
    ADD COLUMN ended_on date,
    ADD COLUMN ended_by uuid REFERENCES act,
    ADD COLUMN annulled_because text,
    DROP CONSTRAINT act_application_id_key,
    DROP CONSTRAINT act_state_check,
    DROP CONSTRAINT act_check1;
ALTER TABLE act ALTER COLUMN kind DROP DEFAULT;
-- Compressing a payload would be work done while the number is locked.
ALTER TABLE act ALTER COLUMN payload SET STORAGE EXTERNAL;
-- Before this revision a number could be annulled by hand only, and no reason was kept.
ALTER TABLE act DISABLE TRIGGER act_moves_only_forward;
UPDATE act SET annulled_because = 'annulé avant que le registre ne garde les motifs' WHERE state = 'annulled';
ALTER TABLE act ENABLE TRIGGER act_moves_only_forward;
ALTER TABLE act
    ADD CONSTRAINT act_state CHECK
        (state IN ('reserved', 'issued', 'abrogated', 'withdrawn', 'superseded', 'annulled')),
    ADD CONSTRAINT act_has_its_document CHECK
        ((state IN ('reserved', 'annulled')) = (document_sha256 IS NULL)
            AND (document_sha256 IS NULL) = (issued_at IS NULL)),
    ADD CONSTRAINT act_ended_by_another CHECK
        ((state IN ('abrogated', 'withdrawn', 'superseded')) = (ended_by IS NOT NULL)),
    ADD CONSTRAINT act_abrogated_from_a_day CHECK ((state = 'abrogated') = (ended_on IS NOT NULL)),
    ADD CONSTRAINT act_annulled_with_a_reason CHECK ((state = 'annulled') = (annulled_because IS NOT NULL)),
    ADD CONSTRAINT act_reason_is_told CHECK (length(btrim(annulled_because)) >= 10),
    ADD CONSTRAINT act_cites_what_it_changes CHECK ((cites IS NULL) = (kind IN ('permit', 'refusal'))),
    ADD CONSTRAINT act_ruling_is_taken_by_a_person CHECK
        (CASE WHEN taken_by IS NULL THEN kind IN ('permit', 'extension') ELSE length(btrim(taken_by)) > 0 END);

-- A refusal that could not be sealed refused nothing; a permit that could not is told to its applicant as annulled.
CREATE UNIQUE INDEX act_answers_once ON act (application_id)
    WHERE kind IN ('permit', 'extension', 'correction') OR (kind = 'refusal' AND state <> 'annulled');
CREATE UNIQUE INDEX act_changed_once ON act (cites)
    WHERE kind IN ('correction', 'abrogation', 'withdrawal') AND state <> 'annulled';
CREATE UNIQUE INDEX act_extended_once ON act (cites) WHERE kind = 'extension'
    AND (state IN ('reserved', 'issued') OR (state = 'abrogated' AND ended_on > starts_on));

CREATE UNIQUE INDEX act_has_a_document_of_its_own ON act (document_sha256) WHERE document_sha256 IS NOT NULL;

CREATE TABLE act_notification (
    act_id uuid PRIMARY KEY REFERENCES act,
    notified_on date NOT NULL,
    channel text NOT NULL CHECK (channel IN ('online', 'registered_email', 'registered_letter', 'hand_delivery')),
    proof text NOT NULL CHECK (length(btrim(proof)) > 0),
    recorded_by text,
    recorded_at timestamptz NOT NULL
);

ALTER TABLE act_footprint
    DROP CONSTRAINT no_double_booking,
    ADD COLUMN space text NOT NULL DEFAULT 'street' CHECK (space IN ('street', 'sandbox')),
    ADD COLUMN live boolean NOT NULL DEFAULT true;
UPDATE act_footprint SET live = false WHERE state = 'annulled';
ALTER TABLE act_footprint
    DROP COLUMN state,
    ALTER COLUMN space DROP DEFAULT,
    ADD CONSTRAINT no_double_booking EXCLUDE USING gist (
        footprint_core WITH &&, period WITH &&, authority WITH =, space WITH =, worksite_key WITH <>
    ) WHERE (live);

CREATE TABLE issuing_switch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authority text NOT NULL,
    halted boolean NOT NULL,
    reason text NOT NULL CHECK (length(btrim(reason)) > 0),
    turned_by text NOT NULL,
    turned_at timestamptz NOT NULL
);
CREATE INDEX issuing_switch_last ON issuing_switch (authority, id DESC);

-- A page of a client's permits takes the same time in a book of millions, whatever it is asked for (bench/README.md).
CREATE INDEX act_by_company ON act (client_id, siret, year DESC, number DESC);
CREATE INDEX act_by_state ON act (client_id, state, year DESC, number DESC);
CREATE INDEX act_by_day ON act USING gist (client_id, daterange(starts_on, ends_on, '[]'));
"""

# One statement from the number's lock to the audit entry: the lock is held for it and for the commit, no longer.
WRITING = """
-- The end of an authority's chain, locked until the transaction ends; an authority begins its chain here.
CREATE FUNCTION lock_audit_head(the_authority text) RETURNS audit_head LANGUAGE plpgsql AS $$
DECLARE
    head audit_head;
BEGIN
    SELECT * INTO head FROM audit_head WHERE authority = the_authority FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_head VALUES (the_authority, 0, repeat('0', 64)) ON CONFLICT DO NOTHING;
        SELECT * INTO STRICT head FROM audit_head WHERE authority = the_authority FOR UPDATE;
    END IF;
    RETURN head;
END $$;

CREATE FUNCTION append_audit(the_authority text, the_event text, told_at text, the_entry text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head audit_head;
    line text;
    hash text;
BEGIN
    head := lock_audit_head(the_authority);
    -- The canonical JSON of permits.domain.canonical, its keys in order.
    line := '{"at":' || to_json(told_at) || ',"authority":' || to_json(the_authority) || ',"entry":' || the_entry
        || ',"event":' || to_json(the_event) || ',"position":' || head.position + 1
        || ',"previous_sha256":"' || head.sha256 || '"}';
    hash := encode(sha256(convert_to(line, 'UTF8')), 'hex');
    INSERT INTO audit_entry (authority, position, at, event, entry, previous_sha256, sha256)
    VALUES (the_authority, head.position + 1, told_at::timestamptz, the_event, the_entry::jsonb, head.sha256, hash);
    UPDATE audit_head SET position = head.position + 1, sha256 = hash WHERE authority = the_authority;
    RETURN head.position + 1;
END $$;

CREATE FUNCTION issuing_is_halted(the_authority text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT halted FROM issuing_switch WHERE authority = the_authority ORDER BY id DESC LIMIT 1), false)
$$;

-- Give the next number of a series to a draft: `the_payload` and `the_entry` are canonical JSON in which
-- `number_mark` stands for the number, and `payload_mark` for the digest of the numbered payload.
CREATE FUNCTION give_number(
    the_authority text, the_series text, the_year integer, act_id uuid, the_kind text, the_cites uuid, the_author text,
    the_application uuid, the_client uuid, the_code text, the_siret text, first_day date, last_day date,
    the_fee numeric, the_payload text, told_at text, the_event text, the_entry text,
    number_mark text, payload_mark text
) RETURNS TABLE (given_label text, given_sha256 text, audit_position bigint) LANGUAGE plpgsql AS $$
DECLARE
    given integer;
    -- Read before the lock: in it, only the number is written in.
    frozen jsonb := the_payload::jsonb;
BEGIN
    -- The chain first: every writer needs it, and nobody waits for it with a number in hand.
    PERFORM lock_audit_head(the_authority);
    IF the_kind IN ('permit', 'extension') AND issuing_is_halted(the_authority) THEN
        RAISE EXCEPTION 'issuing is suspended' USING ERRCODE = 'PX001';
    END IF;
    INSERT INTO counter AS c (authority, series, year, value) VALUES (the_authority, the_series, the_year, 1)
        ON CONFLICT (authority, series, year) DO UPDATE SET value = c.value + 1 RETURNING value INTO given;
    given_label := the_series || '-' || the_year || '-' || lpad(given::text, greatest(6, length(given::text)), '0');
    the_payload := replace(the_payload, number_mark, given_label);
    given_sha256 := encode(sha256(convert_to(the_payload, 'UTF8')), 'hex');
    INSERT INTO act (id, authority, series, year, number, label, kind, cites, taken_by, application_id, client_id,
                     state, code, siret, starts_on, ends_on, fee_total, payload, payload_sha256, reserved_at)
    VALUES (act_id, the_authority, the_series, the_year, given, given_label, the_kind, the_cites, the_author,
            the_application, the_client, 'reserved', the_code, the_siret, first_day, last_day, the_fee,
            jsonb_set(frozen, '{number}', to_jsonb(given_label)), given_sha256, told_at::timestamptz);
    audit_position := append_audit(the_authority, the_event, told_at,
        replace(replace(the_entry, number_mark, given_label), payload_mark, given_sha256));
    RETURN NEXT;
END $$;
"""

# What may never happen, whoever holds the connection.
GUARDS = """
CREATE TRIGGER act_footprint_is_never_emptied BEFORE TRUNCATE ON act_footprint EXECUTE FUNCTION refuse();
CREATE TRIGGER document_is_never_emptied BEFORE TRUNCATE ON document EXECUTE FUNCTION refuse();
CREATE TRIGGER audit_entry_is_never_emptied BEFORE TRUNCATE ON audit_entry EXECUTE FUNCTION refuse();
CREATE TRIGGER audit_head_is_never_deleted BEFORE DELETE ON audit_head FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER audit_head_is_never_emptied BEFORE TRUNCATE ON audit_head EXECUTE FUNCTION refuse();
CREATE TRIGGER audit_head_steps_by_one BEFORE UPDATE ON audit_head FOR EACH ROW
    WHEN (NEW.position <> OLD.position + 1 OR NEW.authority <> OLD.authority) EXECUTE FUNCTION refuse();
CREATE TRIGGER counter_begins_at_one BEFORE INSERT ON counter FOR EACH ROW
    WHEN (NEW.value <> 1) EXECUTE FUNCTION refuse();
CREATE TRIGGER rulebook_is_never_emptied BEFORE TRUNCATE ON rulebook EXECUTE FUNCTION refuse();
CREATE TRIGGER counter_is_never_emptied BEFORE TRUNCATE ON counter EXECUTE FUNCTION refuse();
CREATE TRIGGER application_is_never_deleted BEFORE DELETE ON application FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER application_is_never_emptied BEFORE TRUNCATE ON application EXECUTE FUNCTION refuse();
CREATE TRIGGER act_notification_never_changes
    BEFORE UPDATE OR DELETE ON act_notification FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER act_notification_is_never_emptied BEFORE TRUNCATE ON act_notification EXECUTE FUNCTION refuse();
CREATE TRIGGER issuing_switch_never_changes
    BEFORE UPDATE OR DELETE ON issuing_switch FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER issuing_switch_is_never_emptied BEFORE TRUNCATE ON issuing_switch EXECUTE FUNCTION refuse();

CREATE FUNCTION application_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided text[] := ARRAY['outcome', 'facts', 'decision', 'rulebook_digest', 'decided_at'];
BEGIN
    IF OLD.outcome <> 'awaiting_registry' OR (to_jsonb(NEW) - decided) IS DISTINCT FROM (to_jsonb(OLD) - decided) THEN
        RAISE EXCEPTION 'application % is frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER application_is_decided_once BEFORE UPDATE ON application
    FOR EACH ROW EXECUTE FUNCTION application_is_decided_once();

-- True when a sealed or reserved extension adds days to this act, or to the one it corrects: one day is enough,
-- of an extension abrogated after it.
CREATE FUNCTION act_is_extended(the_act uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    WITH RECURSIVE version AS (
        SELECT id, kind, cites FROM act WHERE id = the_act
        UNION ALL
        SELECT earlier.id, earlier.kind, earlier.cites
        FROM act earlier JOIN version ON version.kind = 'correction' AND earlier.id = version.cites
    ), extension AS (
        SELECT act.id, act.state, act.ended_by, act.ended_on > act.starts_on AS covered
        FROM act JOIN version ON act.cites = version.id
        WHERE act.kind = 'extension'
        UNION ALL
        SELECT later.id, later.state, later.ended_by, later.ended_on > later.starts_on
        FROM act later JOIN extension ON extension.state = 'superseded' AND later.id = extension.ended_by
    )
    SELECT EXISTS (SELECT 1 FROM extension WHERE state IN ('reserved', 'issued') OR (state = 'abrogated' AND covered))
$$;

-- The day in Paris on which an act was taken, or the one it corrects: a clerical correction opens no new delay.
CREATE FUNCTION act_first_taken_on(the_act uuid) RETURNS date LANGUAGE sql STABLE AS $$
    WITH RECURSIVE version AS (
        SELECT kind, cites, reserved_at FROM act WHERE id = the_act
        UNION ALL
        SELECT earlier.kind, earlier.cites, earlier.reserved_at
        FROM act earlier JOIN version ON version.kind = 'correction' AND earlier.id = version.cites
    )
    SELECT (min(reserved_at) AT TIME ZONE 'Europe/Paris')::date FROM version
$$;

CREATE FUNCTION act_changes_a_standing_act() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    cited act;
    today date := (NEW.reserved_at AT TIME ZONE 'Europe/Paris')::date;
BEGIN
    IF NEW.state <> 'reserved' THEN
        RAISE EXCEPTION 'an act begins reserved' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.cites IS NULL THEN
        RETURN NEW;
    END IF;
    -- Not FOR UPDATE: applications that name the act hold its key while they wait for the chain, which we have.
    SELECT * INTO cited FROM act WHERE id = NEW.cites FOR NO KEY UPDATE;
    IF cited.authority <> NEW.authority OR cited.siret <> NEW.siret OR cited.client_id <> NEW.client_id
       OR cited.kind NOT IN ('permit', 'extension', 'correction') OR cited.state <> 'issued' THEN
        RAISE EXCEPTION 'act % is a % that is %: it can''t be changed', cited.label, cited.kind, cited.state
            USING ERRCODE = 'PX002';
    END IF;
    -- A ruling is of the permit's own application; what extends or corrects it answers one that names it.
    IF NOT EXISTS (
        SELECT 1 FROM application asked JOIN application first ON first.id = cited.application_id
        WHERE asked.id = NEW.application_id AND asked.sandbox = first.sandbox AND CASE
            WHEN NEW.kind IN ('abrogation', 'withdrawal') THEN asked.id = first.id
            ELSE asked.amends = cited.id END
    ) THEN
        RAISE EXCEPTION 'this act is not about the file of %', cited.label USING ERRCODE = 'PX002';
    END IF;
    IF EXISTS (SELECT 1 FROM act WHERE cites = NEW.cites AND state = 'reserved') THEN
        RAISE EXCEPTION 'another act on % is in hand', cited.label USING ERRCODE = 'PX002';
    END IF;
    IF NEW.kind IN ('extension', 'abrogation', 'withdrawal') AND act_is_extended(cited.id) THEN
        RAISE EXCEPTION 'act % is extended: its extension ends first', cited.label USING ERRCODE = 'PX003';
    END IF;
    IF NEW.kind = 'withdrawal' AND today > (act_first_taken_on(cited.id) + interval '4 months')::date THEN
        RAISE EXCEPTION 'act % is more than four months old: it can''t be withdrawn', cited.label
            USING ERRCODE = 'PX004';
    END IF;
    -- A day that has begun under the act is over before its holder can be told (CRPA art. L221-8).
    IF NEW.kind = 'abrogation' AND ((NEW.payload ->> 'effective_on')::date
       BETWEEN today + (cited.starts_on <= today)::integer AND cited.ends_on) IS NOT TRUE THEN
        RAISE EXCEPTION 'act % can only be abrogated for days to come', cited.label USING ERRCODE = 'PX005';
    END IF;
    IF (NEW.kind = 'extension' AND NEW.starts_on <> cited.ends_on + 1)
       OR (NEW.kind <> 'extension' AND (NEW.starts_on, NEW.ends_on) IS DISTINCT FROM (cited.starts_on, cited.ends_on))
    THEN
        RAISE EXCEPTION 'the days of this act don''t follow those of %', cited.label USING ERRCODE = 'PX002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER act_changes_a_standing_act BEFORE INSERT ON act
    FOR EACH ROW EXECUTE FUNCTION act_changes_a_standing_act();

CREATE OR REPLACE FUNCTION act_moves_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['state', 'issued_at', 'document_sha256', 'ended_on', 'ended_by', 'annulled_because'];
    ending act;
    sealed_on date;
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving) THEN
        RAISE EXCEPTION 'act % is frozen', OLD.label USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state = 'reserved' AND NEW.state IN ('issued', 'annulled') THEN
        sealed_on := (NEW.issued_at AT TIME ZONE 'Europe/Paris')::date;
        IF NEW.kind = 'abrogation' AND NEW.state = 'issued'
           AND (NEW.payload ->> 'effective_on')::date < sealed_on + (NEW.starts_on <= sealed_on)::integer THEN
            RAISE EXCEPTION 'abrogation % is past its day', OLD.label USING ERRCODE = 'PX005';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'issued' AND NEW.state IN ('abrogated', 'withdrawn', 'superseded')
       AND NEW.issued_at = OLD.issued_at AND NEW.document_sha256 = OLD.document_sha256 THEN
        SELECT * INTO ending FROM act WHERE id = NEW.ended_by;
        IF ending.cites = OLD.id AND ending.state = 'issued' AND (ending.kind, NEW.state) IN
               (('abrogation', 'abrogated'), ('withdrawal', 'withdrawn'), ('correction', 'superseded'))
           AND (NEW.ended_on IS NULL OR NEW.ended_on = (ending.payload ->> 'effective_on')::date) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'act % is % and can''t become % so', OLD.label, OLD.state, NEW.state
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- A sealed act that ends another takes effect with its seal; a footprint follows its act.
CREATE FUNCTION act_takes_effect() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IN ('annulled', 'withdrawn', 'superseded') THEN
        UPDATE act_footprint SET live = false WHERE act_id = NEW.id AND live;
    ELSIF NEW.state = 'abrogated' THEN
        UPDATE act_footprint SET live = false WHERE act_id = NEW.id AND live AND NEW.ended_on <= lower(period);
        UPDATE act_footprint SET period = period * daterange(NULL, NEW.ended_on) WHERE act_id = NEW.id AND live;
    ELSIF NEW.kind = 'abrogation' THEN
        UPDATE act SET state = 'abrogated', ended_by = NEW.id, ended_on = (NEW.payload ->> 'effective_on')::date
            WHERE id = NEW.cites;
    ELSIF NEW.kind = 'withdrawal' THEN
        UPDATE act SET state = 'withdrawn', ended_by = NEW.id WHERE id = NEW.cites;
    ELSIF NEW.kind = 'correction' THEN
        UPDATE act SET state = 'superseded', ended_by = NEW.id WHERE id = NEW.cites;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER act_takes_effect AFTER UPDATE ON act FOR EACH ROW EXECUTE FUNCTION act_takes_effect();

CREATE FUNCTION act_is_notified_when_issued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM act WHERE id = NEW.act_id AND NEW.notified_on BETWEEN
            (issued_at AT TIME ZONE 'Europe/Paris')::date AND (NEW.recorded_at AT TIME ZONE 'Europe/Paris')::date
    ) THEN
        RAISE EXCEPTION 'an act is notified from its issue on, never in advance'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER act_is_notified_when_issued BEFORE INSERT ON act_notification
    FOR EACH ROW EXECUTE FUNCTION act_is_notified_when_issued();

CREATE FUNCTION act_footprint_comes_with_its_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM act WHERE id = NEW.act_id) OR NOT NEW.live THEN
        RAISE EXCEPTION 'a footprint is recorded before its act, never after'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER act_footprint_comes_with_its_act BEFORE INSERT ON act_footprint
    FOR EACH ROW EXECUTE FUNCTION act_footprint_comes_with_its_act();

CREATE FUNCTION act_footprint_follows_its_act() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    holder act;
    left_over daterange;
BEGIN
    SELECT * INTO holder FROM act WHERE id = OLD.act_id;
    left_over := OLD.period * daterange(NULL, holder.ended_on);
    IF (to_jsonb(NEW) - ARRAY['live', 'period']) = (to_jsonb(OLD) - ARRAY['live', 'period']) AND OLD.live THEN
        IF NOT NEW.live AND NEW.period = OLD.period AND (holder.state IN ('annulled', 'withdrawn', 'superseded')
               OR (holder.state = 'abrogated' AND isempty(left_over))) THEN
            RETURN NEW;
        END IF;
        IF NEW.live AND holder.state = 'abrogated' AND NEW.period = left_over THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a footprint only follows its act' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER act_footprint_follows_its_act BEFORE UPDATE ON act_footprint
    FOR EACH ROW EXECUTE FUNCTION act_footprint_follows_its_act();
"""


def upgrade() -> None:
    for script in (CLIENTS_AND_APPLICATIONS, ACTS, WRITING, GUARDS):
        op.execute(script)
