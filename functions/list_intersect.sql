select
    case
        when one is not null and other is not null
            then array(
                select unnest(one)
                intersect
                select unnest(other)
            )
    end
