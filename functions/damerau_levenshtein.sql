-- Letters added, left out or mistaken, and neighbors swapped, even when letters were then
-- added between them (Lowrance and Wagner, 1975).
declare
    letters_one text[] := string_to_array(one, null);
    letters_other text[] := string_to_array(other, null);
    n_one integer := length(one);
    n_other integer := length(other);
    width integer := n_other + 2;
    -- Row and column 0 hold a distance beyond all others, row and column 1 the empty text.
    distances integer[];
    last_rows jsonb := '{}';
    last_row integer;
    last_column integer;
    cost integer;
begin
    if one is null or other is null then
        return null;
    end if;
    distances := array_fill(n_one + n_other, array[(n_one + 2) * width]);
    for i in 0..n_one loop
        distances[(i + 1) * width + 2] := i;
    end loop;
    for j in 0..n_other loop
        distances[width + j + 2] := j;
    end loop;
    for i in 1..n_one loop
        last_column := 0;
        for j in 1..n_other loop
            last_row := coalesce((last_rows ->> letters_other[j])::integer, 0);
            cost := case when letters_one[i] = letters_other[j] then 0 else 1 end;
            distances[(i + 1) * width + j + 2] := least(
                distances[i * width + j + 1] + cost,
                distances[(i + 1) * width + j + 1] + 1,
                distances[i * width + j + 2] + 1,
                distances[last_row * width + last_column + 1]
                + (i - last_row - 1) + 1 + (j - last_column - 1)
            );
            if cost = 0 then
                last_column := j;
            end if;
        end loop;
        last_rows := jsonb_set(last_rows, array[letters_one[i]], to_jsonb(i));
    end loop;
    return distances[(n_one + 1) * width + n_other + 2];
end
