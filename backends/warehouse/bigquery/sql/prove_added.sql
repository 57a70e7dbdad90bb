-- Fails where a purge, or another program that added the same, came in between.
select if({guard} and {single}, true, error('{stale}: activities')) as is_proved
