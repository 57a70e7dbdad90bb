-- Fails where a purge, a deletion, or another program that added the same, came in between.
select if({guard} and {proof}, true, error('{stale}: activities')) as is_proved
