{{ config(tags=['every_run']) }}

-- `stamp_build` corrects the end once every model is built
select
    {{ as_of() }} as started_at,
    {{ as_of() }} as finished_at
