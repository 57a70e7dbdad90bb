delete from activity_changes
where activity_id in unnest(@activity_ids) and {ids}
