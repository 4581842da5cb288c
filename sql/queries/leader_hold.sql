-- $1 our epoch: no row when somebody else resolves now. FOR SHARE, so that a takeover waits for us and a late commit of ours fails.
SELECT FROM tributary.leader WHERE epoch = $1::bigint FOR SHARE
