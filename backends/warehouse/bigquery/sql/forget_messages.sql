-- A part of `put_events`: what could not be read may tell of activities that were deleted, of which the parameter is a pattern.
when not matched by source and regexp_contains(kept.message, @deleted)
    then update set message = null
