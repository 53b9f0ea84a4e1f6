-- A function of its own: PostgreSQL inlines `is_near_text` only without a loop in it.
declare
    place integer := 1;
begin
    while
        place < length(one)
        and substr(one, place, 1) = substr(other, place, 1)
    loop
        place := place + 1;
    end loop;
    -- From the first letter that differs.
    return
        place < length(one)
        and substr(one, place, 1) = substr(other, place + 1, 1)
        and substr(one, place + 1, 1) = substr(other, place, 1)
        and substr(one, place + 2) = substr(other, place + 2);
end
