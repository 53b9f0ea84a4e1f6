-- Null where the text is no such date or time. %Y, %m, %d, %H, %M and %S are known.
declare
    names text[] := array(
        select directive[1]
        from regexp_matches(format, '%([YmdHMS])', 'g') as directive
    );
    pattern text := regexp_replace(
        regexp_replace(
            regexp_replace(format, '([][().*+?^${}|\\])', '\\\1', 'g'), '%Y', '(\\d{1,4})', 'g'
        ),
        '%[mdHMS]', '(\\d{1,2})', 'g'
    );
    parts text[] := regexp_match(value, '^\s*' || pattern || '\s*$');
begin
    if parts is null then
        return null;
    end if;
    return make_timestamp(
        coalesce(parts[array_position(names, 'Y')]::integer, 1900),
        coalesce(parts[array_position(names, 'm')]::integer, 1),
        coalesce(parts[array_position(names, 'd')]::integer, 1),
        coalesce(parts[array_position(names, 'H')]::integer, 0),
        coalesce(parts[array_position(names, 'M')]::integer, 0),
        coalesce(parts[array_position(names, 'S')]::integer, 0)
    );
exception
    when datetime_field_overflow then
        return null;
end
