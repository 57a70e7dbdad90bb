-- Needs the right to write, and changes nothing.
delete from pipeline_readings
where false
