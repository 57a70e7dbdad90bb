{{ config(partition_by=by_month('period_start_date'), cluster_by=['athlete_id', 'sport_group']) }}

{{ summary_by('year') }}
