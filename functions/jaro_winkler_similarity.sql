-- Slips are rarer in the first four letters, so that these count again; of texts that
-- are nothing alike they do not. DuckDB rounds similarity + boost * gap only once, and
-- a similarity that is just 0.9 must fall on the same side: the product's own rounding
-- error is worked out (Dekker, 1971) and added again.
declare
    similarity double precision := {{ function('jaro_similarity') }}(one, other);
    splitter constant double precision := 134217729;
    n_shared integer := 0;
    boost double precision;
    boost_high double precision;
    gap double precision;
    gap_high double precision;
    product double precision;
    total double precision;
begin
    if similarity > 0.7::double precision then
        while
            n_shared < least(4, length(one), length(other))
            and substr(one, n_shared + 1, 1) = substr(other, n_shared + 1, 1)
        loop
            n_shared := n_shared + 1;
        end loop;
        boost := n_shared * 0.1::double precision;
        boost_high := boost * splitter - (boost * splitter - boost);
        gap := 1 - similarity;
        gap_high := gap * splitter - (gap * splitter - gap);
        product := boost * gap;
        total := similarity + product;
        similarity := total + (
            (product - (total - similarity))
            + (
                ((boost_high * gap_high - product) + boost_high * (gap - gap_high))
                + (boost - boost_high) * gap_high
                + (boost - boost_high) * (gap - gap_high)
            )
        );
    end if;
    return similarity;
end
