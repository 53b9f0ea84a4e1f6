select regexp_replace(normalized_name, ' (jr|junior|sr|senior|ii|iii|iv)$', '')
