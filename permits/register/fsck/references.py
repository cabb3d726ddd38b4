"""What a row names exists: foreign keys, looked at again, since a superuser can write past them."""

from permits.register.fsck.finding import Code
from permits.register.fsck.look import Look

# One query a foreign key of the register, quoted by the server itself.
_KEYS = """
SELECT child.relname AS child, string_agg(a.attname, ', ' ORDER BY k.place) AS columns,
    'SELECT child.' || string_agg(quote_ident(a.attname), '::text || child.' ORDER BY k.place) || '::text AS named'
    || ' FROM ' || key.conrelid::regclass || ' child WHERE NOT EXISTS (SELECT 1 FROM ' || key.confrelid::regclass
    || ' parent WHERE ' || string_agg(format('parent.%I = child.%I', b.attname, a.attname), ' AND ' ORDER BY k.place)
    || ') AND ' || string_agg(format('child.%I IS NOT NULL', a.attname), ' AND ' ORDER BY k.place)
    || ' ORDER BY 1' AS query
FROM pg_constraint key
JOIN pg_class child ON child.oid = key.conrelid
CROSS JOIN LATERAL unnest(key.conkey, key.confkey) WITH ORDINALITY AS k(own, theirs, place)
JOIN pg_attribute a ON a.attrelid = key.conrelid AND a.attnum = k.own
JOIN pg_attribute b ON b.attrelid = key.confrelid AND b.attnum = k.theirs
WHERE key.contype = 'f' AND child.relnamespace = 'public'::regnamespace
GROUP BY key.oid, child.relname, key.conrelid, key.confrelid, key.conname ORDER BY key.conname
"""


def check_references(look: Look) -> None:
    """No row names another that is not there."""
    for key in look.rows(_KEYS):
        for row in look.each(key.query):
            look.found(Code.REFERENCE, row.named, f"{key.child}.{key.columns} nomme {row.named}, qui n’existe pas")
