"""How a rulebook comes into force: an empty book adopts one; another is proposed, then published by somebody else."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE rulebook_step (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    authority text NOT NULL,
    step text NOT NULL CHECK (step IN ('adopted', 'proposed', 'published')),
    digest text NOT NULL REFERENCES rulebook,
    effective_on date NOT NULL,
    taken_by text NOT NULL CHECK (taken_by <> ''),
    taken_at timestamptz NOT NULL
);
"""

GUARDS = """
CREATE TRIGGER rulebook_step_never_changes
    BEFORE UPDATE OR DELETE ON rulebook_step FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER rulebook_step_is_never_emptied BEFORE TRUNCATE ON rulebook_step EXECUTE FUNCTION refuse();

-- Nobody changes the law of a day that has begun, and nobody does it alone: what was proposed before another was
-- published for that day is proposed again, so that two people replace it as two published it.
CREATE FUNCTION rulebook_step_is_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    today date := (NEW.taken_at AT TIME ZONE 'Europe/Paris')::date;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM rulebook WHERE digest = NEW.digest AND authority = NEW.authority) THEN
        RAISE EXCEPTION 'this rulebook is another authority''s' USING ERRCODE = 'PX006';
    END IF;
    IF NEW.step = 'adopted' THEN
        IF NEW.effective_on <> today OR EXISTS (SELECT 1 FROM rulebook_step WHERE authority = NEW.authority) THEN
            RAISE EXCEPTION 'only a book without a rulebook adopts one' USING ERRCODE = 'PX006';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.effective_on <= today THEN
        RAISE EXCEPTION 'a rulebook takes effect in the future' USING ERRCODE = 'PX007';
    END IF;
    IF NEW.step = 'published' AND NOT EXISTS (
        SELECT 1 FROM rulebook_step WHERE step = 'proposed' AND taken_by <> NEW.taken_by
            AND (authority, digest, effective_on) = (NEW.authority, NEW.digest, NEW.effective_on)
            AND id > (
                SELECT coalesce(max(id), 0) FROM rulebook_step
                WHERE step = 'published' AND (authority, effective_on) = (NEW.authority, NEW.effective_on))
    ) THEN
        RAISE EXCEPTION 'somebody else must have proposed this rulebook for this day' USING ERRCODE = 'PX008';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rulebook_step_is_in_order BEFORE INSERT ON rulebook_step
    FOR EACH ROW EXECUTE FUNCTION rulebook_step_is_in_order();
"""


def upgrade() -> None:
    for script in (TABLES, GUARDS):
        op.execute(script)
