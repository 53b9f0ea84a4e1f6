-- Not part of `is_near_text`, because PostgreSQL inlines no function with a loop.
declare
    place integer := 1;
begin
    while
        place < length(one)
        and substr(one, place, 1) = substr(other, place, 1)
    loop
        place := place + 1;
    end loop;
    -- The first difference has to be the swap, and the only one.
    return
        place < length(one)
        and substr(one, place, 1) = substr(other, place + 1, 1)
        and substr(one, place + 1, 1) = substr(other, place, 1)
        and substr(one, place + 2) = substr(other, place + 2);
end
