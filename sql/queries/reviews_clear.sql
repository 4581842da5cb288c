DELETE FROM tributary.review
