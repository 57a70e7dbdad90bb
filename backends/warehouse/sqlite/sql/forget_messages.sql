-- What could not be read may tell of these: :texts is a JSON array of words, such as activities' numbers.
update strava_events set message = null
where
    message is not null
    and exists (
        select 1
        from json_each(:texts) as texts
        where instr(strava_events.message, texts.value) > 0
    );
