{{ config(cluster_by=['athlete_id', 'sport_group']) }}

{{ summary_by('month') }}
