-- $1, $2 customers -> whether one of them works for the other
SELECT person_id, company_id FROM golden.works_for
WHERE (person_id = $1::bigint AND company_id = $2::bigint) OR (person_id = $2::bigint AND company_id = $1::bigint)
