-- The epoch of who resolves; FOR SHARE, so that a takeover waits for us and a late commit of ours fails.
SELECT epoch FROM tributary.leader FOR SHARE
