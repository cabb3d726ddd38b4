"""What waits for the company registry, in one queue in the order of reception; the switch of each of its sources."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE registry_wait (
    application_id uuid PRIMARY KEY REFERENCES application,
    authority text NOT NULL,
    since timestamptz NOT NULL,
    retry_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    reason text NOT NULL
);
CREATE INDEX registry_wait_in_order ON registry_wait (authority, since, application_id);

CREATE TABLE registry_switch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authority text NOT NULL,
    source text NOT NULL CHECK (source IN ('api-entreprise', 'recherche-entreprises', 'insee')),
    off boolean NOT NULL,
    reason text NOT NULL CHECK (length(btrim(reason)) > 0),
    turned_by text NOT NULL,
    turned_at timestamptz NOT NULL
);
CREATE INDEX registry_switch_last ON registry_switch (authority, source, id DESC);

-- An answer given again without an exchange is traced too, and an exchange that a quota prevented is told as such.
ALTER TABLE registry_access
    DROP CONSTRAINT registry_access_outcome_check,
    ADD CONSTRAINT registry_access_outcome_check
        CHECK (outcome IN ('found', 'not_found', 'protected', 'no_answer', 'not_asked', 'reused'));
"""

# Before this revision each waiting application had a job of its own.
WAITING = """
INSERT INTO registry_wait (application_id, authority, since, retry_at, reason)
SELECT id, authority, received_at, received_at, 'received before this queue' FROM application
WHERE outcome = 'awaiting_registry';
DELETE FROM jobs.procrastinate_jobs WHERE task_name = 'decide_waiting';
"""

GUARDS = """
-- A place in the queue comes with an application that waits, and goes with its decision.
CREATE FUNCTION registry_wait_follows_its_application() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked application;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (to_jsonb(NEW) - ARRAY['retry_at', 'tries', 'reason'])
           IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['retry_at', 'tries', 'reason']) THEN
            RAISE EXCEPTION 'a place in the queue stays the same' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        SELECT * INTO asked FROM application WHERE id = OLD.application_id;
        IF asked.outcome = 'awaiting_registry' THEN
            RAISE EXCEPTION 'application % still waits', asked.id USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    SELECT * INTO asked FROM application WHERE id = NEW.application_id;
    IF (asked.outcome, asked.authority, asked.received_at)
       IS DISTINCT FROM ('awaiting_registry', NEW.authority, NEW.since) THEN
        RAISE EXCEPTION 'this application does not wait so' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER registry_wait_follows_its_application BEFORE INSERT OR UPDATE OR DELETE ON registry_wait
    FOR EACH ROW EXECUTE FUNCTION registry_wait_follows_its_application();
CREATE TRIGGER registry_wait_is_never_emptied BEFORE TRUNCATE ON registry_wait EXECUTE FUNCTION refuse();

CREATE TRIGGER registry_switch_never_changes
    BEFORE UPDATE OR DELETE ON registry_switch FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER registry_switch_is_never_emptied BEFORE TRUNCATE ON registry_switch EXECUTE FUNCTION refuse();
"""


def upgrade() -> None:
    for script in (TABLES, WAITING, GUARDS):
        op.execute(script)
