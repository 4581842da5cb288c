-- $1 source_id, $2 lawful basis ('' none said)
UPDATE tributary.source SET lawful_basis = nullif($2::text, '')
WHERE source_id = $1::integer AND lawful_basis IS DISTINCT FROM nullif($2::text, '')
