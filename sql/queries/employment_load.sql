-- Which employer each person's record names
SELECT record_id, employer_id FROM tributary.works_for
