-- Typos are rarer in the first four letters, so equal ones raise the similarity, unless
-- the texts are very different.
declare
    similarity double precision := {{ function('jaro_similarity') }}(one, other);
    n_shared integer := 0;
begin
    if similarity > 0.7::double precision then
        while
            n_shared < least(4, length(one), length(other))
            and substr(one, n_shared + 1, 1) = substr(other, n_shared + 1, 1)
        loop
            n_shared := n_shared + 1;
        end loop;
        similarity := similarity + n_shared * 0.1::double precision * (1 - similarity);
    end if;
    return similarity;
end
