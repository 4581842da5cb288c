DELETE FROM tributary.link
