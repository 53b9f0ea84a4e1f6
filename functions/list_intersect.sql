select
    case
        when one is not null and other is not null
            then array(
                select element
                from unnest(one) as elements (element)
                where element is not null
                intersect
                select unnest(other)
            )
    end
