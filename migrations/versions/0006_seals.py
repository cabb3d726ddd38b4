"""What verification needs for decades: who sealed and who signed codes, at which level, and the archive copies."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
-- Every certificate that sealed here, and every key that signed QR codes: a rotation forgets none.
CREATE TABLE seal_certificate (
    authority text NOT NULL,
    sha256 text NOT NULL CHECK (sha256 = encode(sha256(certificate), 'hex')),
    certificate bytea NOT NULL,
    chain text NOT NULL,
    first_used_at timestamptz NOT NULL,
    PRIMARY KEY (authority, sha256)
);

-- Which of them is trusted no more is told by the chain alone.
CREATE INDEX audit_entry_withdrawals ON audit_entry (authority) WHERE event = 'key_withdrawn';

CREATE TABLE code_key (
    authority text NOT NULL,
    kid text NOT NULL,
    public_key jsonb NOT NULL,
    first_used_at timestamptz NOT NULL,
    PRIMARY KEY (authority, kid)
);

-- The level of the seal in the delivered file (ETSI EN 319 142-1); all earlier ones are B-B.
ALTER TABLE document ADD COLUMN level text NOT NULL DEFAULT 'B-B' CHECK (level IN ('B-B', 'B-T', 'B-LT'));
-- It should have had a time stamp, which none could be had for: an archive copy will have it.
ALTER TABLE document ADD COLUMN stamp_deferred boolean NOT NULL DEFAULT false
    CHECK (NOT stamp_deferred OR level = 'B-B');
CREATE INDEX document_awaiting_stamp ON document (stored_at) WHERE stamp_deferred;

-- Files made later from a delivered one, to prove it longer. Nobody is served one as the act.
CREATE TABLE archive_copy (
    sha256 text PRIMARY KEY CHECK (sha256 = encode(sha256(content), 'hex')),
    act_id uuid NOT NULL REFERENCES act,
    content bytea NOT NULL,
    level text NOT NULL CHECK (level IN ('B-T', 'B-LT', 'B-LTA')),
    made_from text NOT NULL UNIQUE,
    made_at timestamptz NOT NULL,
    renew_before timestamptz
);
ALTER TABLE archive_copy ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX archive_copy_of ON archive_copy (act_id, made_at);
CREATE INDEX archive_copy_only_dated ON archive_copy (act_id) WHERE level = 'B-T';
"""

GUARDS = """
CREATE TRIGGER seal_certificate_never_changes
    BEFORE UPDATE OR DELETE ON seal_certificate FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER seal_certificate_is_never_emptied BEFORE TRUNCATE ON seal_certificate EXECUTE FUNCTION refuse();
CREATE TRIGGER code_key_never_changes
    BEFORE UPDATE OR DELETE ON code_key FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER code_key_is_never_emptied BEFORE TRUNCATE ON code_key EXECUTE FUNCTION refuse();
CREATE TRIGGER archive_copy_never_changes
    BEFORE UPDATE OR DELETE ON archive_copy FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER archive_copy_is_never_emptied BEFORE TRUNCATE ON archive_copy EXECUTE FUNCTION refuse();
"""


def upgrade() -> None:
    for script in (TABLES, GUARDS):
        op.execute(script)
