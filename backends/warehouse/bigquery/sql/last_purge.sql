select max(purged_at) as purged_at from purges
