select athlete_id, file_hash from athlete_files;
