-- Letters match if they are within half the longer text of each other. Each letter
-- matches once, the earliest first. Two matching letters in another order cost one.
declare
    n_one integer := length(one);
    n_other integer := length(other);
    reach integer := greatest(greatest(n_one, n_other) / 2 - 1, 0);
    letters text[] := string_to_array(other, null);
    taken boolean[] := array_fill(false, array[greatest(n_other, 1)]);
    matched text[] := '{}';
    n_matched integer := 0;
    n_out_of_order integer := 0;
    place integer := 0;
    letter text;
begin
    if one is null or other is null then
        return null;
    end if;
    for i in 1..n_one loop
        letter := substr(one, i, 1);
        for j in greatest(1, i - reach)..least(n_other, i + reach) loop
            if not taken[j] and letters[j] = letter then
                taken[j] := true;
                n_matched := n_matched + 1;
                matched[n_matched] := letter;
                exit;
            end if;
        end loop;
    end loop;
    if n_matched = 0 then
        return 0;
    end if;
    for j in 1..n_other loop
        if taken[j] then
            place := place + 1;
            if matched[place] <> letters[j] then
                n_out_of_order := n_out_of_order + 1;
            end if;
        end if;
    end loop;
    return (
        n_matched / n_one::double precision
        + n_matched / n_other::double precision
        + (n_matched - n_out_of_order / 2) / n_matched::double precision
    ) / 3;
end
