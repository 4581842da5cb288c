-- $1 who: becomes the resolver.
UPDATE tributary.leader SET epoch = epoch + 1, holder = $1::text, since = now() RETURNING epoch
