-- Only a word at the end, because Iv can also be a name.
select
    case substring(normalized_name from ' (jr|junior|sr|senior|ii|iii|iv)$')
        when 'jr' then 'jr'
        when 'junior' then 'jr'
        when 'sr' then 'sr'
        when 'senior' then 'sr'
        when 'ii' then 'ii'
        when 'iii' then 'iii'
        when 'iv' then 'iv'
    end
